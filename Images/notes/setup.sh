#!/bin/sh
# What differs between the versions, and the service's own user. It runs in the image's tree.
set -eu
printf 'VERSION=%s\nSCHEMA=%s\n' "$KILN_VERSION" "$SCHEMA" > /etc/notes.conf
useradd --system --uid 900 --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin notes
for list in passwd group shadow gshadow subuid subgid; do cp -p "/etc/$list" "/etc/$list-"; done
systemctl --quiet enable notes.service
