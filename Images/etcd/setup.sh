#!/bin/sh
# What differs between the versions. It runs in the image's tree.
set -eu
printf 'IMAGE=%s\nVERSION=%s\n' "$KILN_NAME" "$KILN_VERSION" > /etc/kiln-release
echo "$KILN_VERSION" > /srv/www/version
systemctl --quiet enable etcd.service
for list in passwd group shadow gshadow subuid subgid; do cp -p "/etc/$list" "/etc/$list-"; done
