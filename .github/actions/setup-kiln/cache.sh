#!/bin/bash
# cache.sh RECIPES NAMES: says where the images are kept, and a key that changes with anything they are baked from.
set -euo pipefail
recipes=$1 names=$2

if [ "$(id -u)" -eq 0 ]; then home=/var/lib/kiln; else home=${XDG_STATE_HOME:-$HOME/.local/state}/kiln; fi
# The whole folder, since recipes share files; of a mode, who may run a file.
digest=$(tar -C "$recipes" --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX -cf - . |
    sha256sum | cut -d ' ' -f 1)
chosen=$(echo "$names" | tr -s ' ' '\n' | LC_ALL=C sort -u | paste -sd +)
{
    echo "path=${KILN_HOME:-$home}/images"
    echo "key=kiln-$(id -un)-${chosen:-none}-$digest"
} >>"$GITHUB_OUTPUT"
