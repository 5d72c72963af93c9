#!/bin/sh
# Version 4 alone: no portmapper, no lock daemon, one port. It runs in the image's tree.
set -eu
printf 'IMAGE=%s\nVERSION=%s\n' "$KILN_NAME" "$KILN_VERSION" > /etc/kiln-release
echo "$KILN_VERSION" > /srv/www/version
for unit in rpcbind.service rpcbind.socket rpc-statd.service rpc-statd-notify.service nfs-blkmap.service; do
    systemctl --quiet mask "$unit"
done
systemctl --quiet enable nfs-server.service
for list in passwd group shadow gshadow subuid subgid; do cp -p "/etc/$list" "/etc/$list-"; done
