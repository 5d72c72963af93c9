#!/bin/bash
# install.sh PATTERN: installs the one package that the pattern matches, with what it depends on.
set -euo pipefail

as_root() { if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi; }

mapfile -t packages < <(compgen -G "$1" || true)
if [ "${#packages[@]}" -ne 1 ]; then
    echo "::error::one package should match '$1', found ${#packages[@]}" >&2
    exit 1
fi
package=$(realpath "${packages[0]}")
as_root apt-get -q update
as_root env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "$package"
kiln --version
kiln doctor
