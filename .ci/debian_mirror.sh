#!/usr/bin/env bash
# Prints the address of Debian's archive: $DEBIAN_MIRROR, or the one that this machine's apt uses.
set -euo pipefail
found=${DEBIAN_MIRROR:-}
[[ -n $found ]] || found=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 'Created-By: Packages' \
    | awk '$1 == "Debian" && !n++ { print $2 }')
if [[ -z $found ]]; then
    echo "this machine's apt knows no archive of Debian (or 'apt-get update' was never run); set" \
        "DEBIAN_MIRROR to the address of one" >&2
    exit 2
fi
echo "$found"
