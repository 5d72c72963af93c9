#!/bin/sh
# The agent runs when somebody runs it. It runs in the image's tree.
set -eu
printf 'IMAGE=%s\nVERSION=%s\n' "$KILN_NAME" "$KILN_VERSION" > /etc/kiln-release
echo "$KILN_VERSION" > /srv/www/version
for unit in cfengine3 cf-execd cf-monitord cf-serverd; do systemctl --quiet disable "$unit.service" || true; done
for list in passwd group shadow gshadow subuid subgid; do cp -p "/etc/$list" "/etc/$list-"; done
