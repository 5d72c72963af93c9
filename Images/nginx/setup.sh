#!/bin/sh
# The site, and what differs between the versions. It runs in the image's tree.
set -eu
printf 'IMAGE=%s\nVERSION=%s\n' "$KILN_NAME" "$KILN_VERSION" > /etc/kiln-release
echo "$KILN_VERSION" > /srv/www/version
rm -f /etc/nginx/sites-enabled/default
echo "$PAGE" > /usr/share/site/index.html
systemctl --quiet enable nginx.service
for list in passwd group shadow gshadow subuid subgid; do cp -p "/etc/$list" "/etc/$list-"; done
