#!/bin/bash
# archives.sh MIRRORS: where apt has no archive of Debian's, installs Debian's keys, and names mirrors to the steps after it.
set -euo pipefail
# In one line, as the file for the steps after it wants it.
mirrors=$(tr -s '[:space:]' ' ' <<<"${1:-${KILN_DEBIAN_MIRROR:-}}")
mirrors=${mirrors% }

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

as_root apt-get -q update
# shellcheck disable=SC2016 # apt puts that in.
# Read to its end: apt would die of a pipe that closes.
if apt-get indextargets --format '$(ORIGIN)' | grep -x Debian >/dev/null; then exit 0; fi
as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends debian-archive-keyring
if [ -z "$mirrors" ]; then
    echo "::warning::apt here has no archive of Debian's: name a mirror by 'debian-mirror', or no Debian image can be baked"
    exit 0
fi
echo "KILN_DEBIAN_MIRROR=$mirrors" >>"$GITHUB_ENV"
