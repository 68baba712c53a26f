#!/usr/bin/env bash
# Builds and tests the Swift package on Debian or Ubuntu, x86-64 or arm64:
#
#   ios_demo/ci/test_linux.sh BUNDLE...     an ONNX bundle of the IMX258 first
#
# Swift comes from Debian's archive, unpacked (not installed) into ${FA_MOBILE_SWIFT}, by default
# ~/.cache/fa-mobile/swift: 3 GB, made once in some minutes, checked by the archive's signatures.
# What it builds is kept there too, so that the checkout stays clean.
# The archive is the one that the machine's own apt uses, or $DEBIAN_MIRROR.
# Needed: apt, dpkg-deb, and root or user namespaces, because Swift runs in that root.
set -euo pipefail

readonly suite=trixie
readonly packages=(swiftlang libswiftlang libc6-dev libstdc++-14-dev binutils git ca-certificates
    bash coreutils grep sed tar libc-bin)
readonly swift_version=6.0.3
readonly sums='SHA256SUMS'
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
root=${FA_MOBILE_SWIFT:-$HOME/.cache/fa-mobile/swift}
readonly here root

fail() {
    echo "test_linux.sh: $1" >&2
    exit 2
}

# apt with folders of its own: lists, cache and an empty record of what is installed.
own_apt() {
    apt-get -qq -o "Dir::State::lists=$work/lists" -o "Dir::State::status=$work/status" \
        -o "Dir::Cache=$work" -o "Dir::Etc::sourcelist=$work/sources.list" \
        -o Dir::Etc::sourceparts=/dev/null -o "APT::Architectures=$(dpkg --print-architecture)" \
        -o APT::Install-Recommends=false -o APT::Sandbox::User="$(id -un)" \
        -o Debug::NoLocking=1 "$@"
}

make_root() {
    local keyring=/usr/share/keyrings/debian-archive-keyring.gpg archive mirror
    [[ -r $keyring ]] || fail "there is no $keyring; apt-get install debian-archive-keyring"
    mirror=$("$here/../.ci/debian_mirror.sh") || fail "Swift comes from Debian's archive"
    echo "unpacking Swift $swift_version of Debian $suite into $root (some minutes)" >&2
    mkdir -p "$(dirname "$root")"
    work=$(mktemp -d "$(dirname "$root")/.swift-XXXXXX")
    trap 'rm -rf "$work"' EXIT
    mkdir -p "$work/lists/partial" "$work/archives/partial" "$work/root"
    : > "$work/status"
    echo "deb [signed-by=$keyring] $mirror $suite main" > "$work/sources.list"
    own_apt update || fail "the lists of Debian $suite cannot be fetched; look at the network"
    own_apt --yes --download-only install "${packages[@]}" \
        || fail "Debian $suite does not have all of: ${packages[*]}"
    # Merged folders first, or unpacking would make real ones in their place.
    mkdir -p "$work/root/usr"/{bin,sbin,lib,lib64}
    ln -s usr/bin usr/sbin usr/lib usr/lib64 "$work/root/"
    for archive in "$work"/archives/*.deb; do
        dpkg-deb --fsys-tarfile "$archive" \
            | tar -x -C "$work/root" --keep-directory-symlink --no-same-owner
    done
    mkdir -p "$work/root"/{proc,dev,tmp,package,bundles,root,build}
    echo "$suite ${packages[*]}" > "$work/root/.made-from"
    rm -rf "$root"
    mv "$work/root" "$root"
    rm -rf "$work"
    trap - EXIT
}

[[ $# -ge 1 ]] || fail "no bundle was given; give folders that 'fa-mobile export' wrote, \
for example: $0 build/apps/imx258-onnx-int8"
bundles=()
for bundle in "$@"; do
    [[ -f $bundle/$sums ]] || fail "$bundle is no bundle (it has no $sums); export one with \
'fa-mobile export --only onnx-int8'"
    bundles+=("$(cd "$bundle" && pwd)")
done
for tool in apt-get dpkg-deb tar unshare chroot; do
    command -v "$tool" > /dev/null || fail "this machine has no $tool; the script needs Debian or Ubuntu"
done
[[ -f $root/.made-from && $(< "$root/.made-from") == "$suite ${packages[*]}" ]] || make_root

# A namespace of mounts, which ends with its processes: nothing stays mounted, whatever happens.
namespace=(unshare --mount --pid --fork)
[[ $(id -u) -eq 0 ]] || namespace+=(--user --map-root-user)
export here root swift_version
"${namespace[@]}" bash -euo pipefail -s -- "${bundles[@]}" << 'INSIDE'
mount --rbind /dev "$root/dev"
mount -t proc proc "$root/proc" 2> /dev/null || mount --rbind /proc "$root/proc"
mount -t tmpfs tmpfs "$root/tmp"
mount --bind "$here/.." "$root/package"
mount -t tmpfs tmpfs "$root/bundles"
names=()
for bundle in "$@"; do
    name=/bundles/${#names[@]}-$(basename "$bundle")
    mkdir "$root$name"
    mount --bind "$bundle" "$root$name"
    names+=("$name")
done
joined=$(IFS=:; echo "${names[*]}")
chroot "$root" /usr/bin/env -i PATH=/usr/libexec/swift/bin:/usr/bin:/bin HOME=/root LC_ALL=C.UTF-8 \
    swift_version="$swift_version" FA_MOBILE_BUNDLES="$joined" \
    FA_MOBILE_UPDATE="${FA_MOBILE_UPDATE:-}" /bin/bash -euo pipefail -c '
        cd /package/ios_demo
        found=$(swift --version 2>&1 | sed -n "s/.*Swift version \([0-9.]*\).*/\1/p")
        if [[ $found != "$swift_version" ]]; then
            echo "Swift $found was found, $swift_version is pinned in ci/test_linux.sh" >&2
            exit 2
        fi
        swift-format lint --strict --recursive Package.swift Sources Tests App Stubs
        # Optimized: the tests go over frames of 13 megapixels, sample by sample.
        swift test --scratch-path /build --disable-sandbox --configuration release \
            -Xswiftc -enable-testing
        # The Apple-only sources against the stubs: types only.
        FA_MOBILE_TYPES=1 swift build --scratch-path /build --disable-sandbox \
            --target RawDenoiseApp
    '
INSIDE
