#!/usr/bin/env bash
# Makes the folder in which fa_mobile/bench/arm.py runs bundles as on an ARM phone:
#
#   benchmarks/arm/setup.sh [FOLDER]      (default: build/arm; five minutes, 250 MB, no root)
#
#   FOLDER/qemu           qemu-aarch64 with plug-ins, and the counter of instructions
#   FOLDER/root           Debian's arm64 Python, that tells its guest of one core
#   FOLDER/site           numpy and the runtimes for aarch64
#   FOLDER/versions.json  what is in it; written last
#
# Each part is made beside its place and renamed when whole, and left alone when it is there and was
# made from the same inputs. Nothing is installed on the machine. Packages come from the mirror that
# the machine's own apt uses, checked by its signatures; wheels through pip, checked by the hashes in
# requirements-*.txt.
#
# QEMU is built from Debian's source: trixie's qemu-user is linked statically and so cannot load
# plug-ins, and bookworm's 7.2 knows neither the Cortex-A55 nor a core with i8mm.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
readonly here
readonly suite=trixie
readonly guest_packages=(python3.13-minimal libpython3.13-stdlib libstdc++6)
readonly build_packages=(libglib2.0-dev zlib1g-dev)
readonly python=${PYTHON:-python3}

fail() {
    echo "setup.sh: $1" >&2
    exit 2
}

# apt with folders of its own: lists, cache and an empty record of what is installed.
# $1 folder, $2 architecture, $3 suite or "" for the machine's own sources; then apt-get's arguments.
own_apt() {
    local place=$1 architecture=$2 of_suite=$3 sources=()
    shift 3
    mkdir -p "$place/lists/partial" "$place/archives/partial"
    : > "$place/status"
    if [[ $of_suite ]]; then
        sources=(-o "Dir::Etc::sourcelist=$place/sources.list" -o Dir::Etc::sourceparts=/dev/null)
    fi
    apt-get -qq -o "Dir::State::lists=$place/lists" -o "Dir::State::status=$place/status" \
        -o "Dir::Cache=$place" -o "APT::Architecture=$architecture" \
        -o "APT::Architectures=$architecture" -o APT::Install-Recommends=false \
        -o APT::Sandbox::User="$(id -un)" -o Debug::NoLocking=1 "${sources[@]}" "$@"
}

# $1 folder, $2 architecture, $3 kinds of sources ("deb" or "deb-src")
add_suite() {
    local keyring=/usr/share/keyrings/debian-archive-keyring.gpg options=""
    if [[ -r $keyring ]]; then
        options="[signed-by=$keyring] "
    fi
    mkdir -p "$1"
    echo "$3 $options$uri $suite main" > "$1/sources.list"
    own_apt "$1" "$2" "$suite" update
}

# pip in an environment of its own; the system's Python may have none.
own_pip() {
    [[ -d $work/venv ]] || "$python" -m venv "$work/venv" || fail "$python makes no environment; \
on Debian: apt-get install python3-venv"
    "$work/venv/bin/python" -m pip --quiet --disable-pip-version-check "$@"
}

# $1 folder of .deb files, $2 where to unpack them
unpack() {
    local package
    for package in "$1"/*.deb; do
        dpkg-deb --extract "$package" "$2"
    done
}

# $1 part, $2... files it is made from: is it there, made from the same?
is_made() {
    local part=$1
    shift
    [[ -f $folder/$part/.made-from && $(inputs "$@") == "$(< "$folder/$part/.made-from")" ]]
}

inputs() {
    cat "$@" | sha256sum
}

# $1 part, made in $work/$1; $2... files it was made from
put_in_place() {
    local part=$1
    shift
    inputs "$@" > "$work/$part/.made-from"
    rm -f "$folder/versions.json"
    rm -rf "${folder:?}/$part"
    mv "$work/$part" "$folder/$part"
}

make_qemu() {
    echo "building QEMU (some minutes)" >&2
    local build=$work/build tools=$work/tools source
    mkdir -p "$build" "$tools" "$work/qemu" "$work/source"
    own_apt "$work/own" "$host" "" --yes --download-only install "${build_packages[@]}"
    unpack "$work/own/archives" "$tools"
    add_suite "$work/sources" "$host" deb-src
    (cd "$work/source" && own_apt "$work/sources" "$host" "$suite" --download-only source qemu)
    tar --extract --directory "$work/source" --file "$(echo "$work"/source/qemu_*.orig.tar.xz)"
    source=$(echo "$work"/source/qemu-*/)

    own_pip install --require-hashes --only-binary=:all: \
        --requirement "$here/requirements-build.txt"
    local libraries=$tools/usr/lib/$(gcc -print-multiarch)
    export PKG_CONFIG_SYSROOT_DIR=$tools PATH=$work/venv/bin:$PATH
    export PKG_CONFIG_LIBDIR=$libraries/pkgconfig:$tools/usr/share/pkgconfig
    # RPATH, not RUNPATH: GLib's own libraries are to be found beside QEMU too.
    (cd "$build" && "$source/configure" --python="$work/venv/bin/python" \
        --target-list=aarch64-linux-user --without-default-features --enable-linux-user \
        --enable-plugins --disable-system --disable-tools --disable-docs --disable-rust \
        --disable-install-blobs --disable-download --disable-werror \
        --extra-ldflags='-Wl,-rpath,$ORIGIN -Wl,--disable-new-dtags') > "$work/configure.log" 2>&1 \
        || { tail -n 20 "$work/configure.log" >&2; fail "QEMU could not be configured"; }
    ninja -C "$build" -j "${JOBS:-$(nproc)}" qemu-aarch64 > "$work/build.log" 2>&1 \
        || { tail -n 20 "$work/build.log" >&2; fail "QEMU could not be built"; }
    gcc -shared -fPIC -O2 -Wall -Wextra -Werror -isystem "$source/include/qemu" \
        -isystem "$tools/usr/include/glib-2.0" -isystem "$libraries/glib-2.0/include" \
        "$here/insn_count.c" -o "$work/qemu/insn_count.so"
    strip -o "$work/qemu/qemu-aarch64" "$build/qemu-aarch64"
    find "$tools" \( -name 'libglib-2.0.so.0' -o -name 'libgmodule-2.0.so.0' \
        -o -name 'libpcre2-8.so.0' -o -name 'libz.so.1' \) \
        -exec cp --dereference {} "$work/qemu/" \;
    cp "$source/VERSION" "$work/qemu/VERSION"
    put_in_place qemu "${qemu_inputs[@]}"
}

make_root() {
    echo "unpacking Debian's arm64 Python" >&2
    add_suite "$work/arm64" arm64 deb
    own_apt "$work/arm64" arm64 "$suite" --yes --download-only install "${guest_packages[@]}"
    mkdir -p "$work/root"
    unpack "$work/arm64/archives" "$work/root"
    ln -s usr/lib "$work/root/lib"
    # ExecuTorch has one thread for each core that it sees, and no other way to set their number.
    mkdir -p "$work/root/sys/devices/system/cpu"
    local file
    for file in online possible present; do
        echo 0 > "$work/root/sys/devices/system/cpu/$file"
    done
    put_in_place root "${root_inputs[@]}"
}

make_site() {
    echo "downloading wheels for aarch64" >&2
    mkdir -p "$work/wheels" "$work/site"
    own_pip download --no-deps --require-hashes --only-binary=:all: --python-version 3.13 \
        --platform manylinux_2_28_aarch64 --platform manylinux_2_27_aarch64 \
        --dest "$work/wheels" --requirement "$here/requirements-guest.txt"
    local wheel
    for wheel in "$work"/wheels/*.whl; do
        "$python" -m zipfile --extract "$wheel" "$work/site"
    done
    put_in_place site "${site_inputs[@]}"
}

write_versions() {
    {
        printf '{\n  "qemu": "%s",\n' "$(< "$folder/qemu/VERSION")"
        sed -nE 's/^([a-z0-9-]+)==([^ ]+).*/  "\1": "\2",/p' "$here/requirements-guest.txt"
        printf '  "cores": "1"\n}\n'
    } > "$work/versions.json"
    mv "$work/versions.json" "$folder/versions.json"
}

[[ $# -le 1 ]] || fail "one argument is allowed, the folder to make; $# were given"
missing=()
for tool in apt-get dpkg-deb gcc pkg-config strip tar xz sha256sum "$python"; do
    command -v "$tool" > /dev/null || missing+=("$tool")
done
[[ ${#missing[@]} -eq 0 ]] || fail "this machine has no ${missing[*]}; on Debian: apt-get install \
apt dpkg gcc libc6-dev pkg-config binutils xz-utils python3-venv"

mkdir -p "${1:-build/arm}" || fail "${1:-build/arm} cannot be made; name a folder that can be written"
folder=$(cd "${1:-build/arm}" && pwd)
host=$(dpkg --print-architecture)
readonly folder host
readonly qemu_inputs=("$here/setup.sh" "$here/insn_count.c" "$here/requirements-build.txt")
readonly root_inputs=("$here/setup.sh")
readonly site_inputs=("$here/setup.sh" "$here/requirements-guest.txt")
if [[ $folder == *,* ]]; then
    fail "$folder has a comma, which QEMU reads as a separator; name another folder"
fi
work=$(mktemp -d "$folder/.partial-XXXXXX")
readonly work
trap 'rm -rf "$work"' EXIT

if ! is_made qemu "${qemu_inputs[@]}" || ! is_made root "${root_inputs[@]}"; then
    own_apt "$work/own" "$host" "" update
    # It only ever stands in files below the work folder.
    uri=$("$here/../../.ci/debian_mirror.sh") || fail "QEMU and the guest come from Debian's archive"
    readonly uri
fi
is_made qemu "${qemu_inputs[@]}" || make_qemu
is_made root "${root_inputs[@]}" || make_root
is_made site "${site_inputs[@]}" || make_site
write_versions
echo "$folder is ready: $(tr -d '{}\n' < "$folder/versions.json" | tr -s ' ')" >&2
