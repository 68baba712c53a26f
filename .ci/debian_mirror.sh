#!/usr/bin/env bash
# Prints the address of Debian's archive: $DEBIAN_MIRROR, or the one that this machine's apt uses.
# Its lists are fetched to a folder of their own, because the machine's may never have been.
set -euo pipefail
if [[ ${DEBIAN_MIRROR:-} ]]; then
    echo "$DEBIAN_MIRROR"
    exit
fi
lists=$(mktemp -d)
trap 'rm -rf "$lists"' EXIT
mkdir "$lists/partial"
own_apt() {
    apt-get -qq -o "Dir::State::lists=$lists" -o "Dir::Cache=$lists" -o Debug::NoLocking=1 \
        -o APT::Sandbox::User="$(id -un)" "$@"
}
own_apt update >&2
found=$(own_apt indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' \
    | awk '$1 == "Debian" && !n++ { print $2 }')
if [[ -z $found ]]; then
    echo "this machine's apt sources name no archive of Debian; set DEBIAN_MIRROR to the address" \
        "of one" >&2
    exit 2
fi
echo "$found"
