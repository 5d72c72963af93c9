#!/bin/sh
# What differs between the versions. It runs in the image's tree.
set -eu
printf 'IMAGE=%s\nVERSION=%s\n' "$KILN_NAME" "$KILN_VERSION" > /etc/kiln-release
echo "$KILN_VERSION" > /srv/www/version
# Debian's own look for a cluster with a program in Perl first.
for program in psql pg_isready; do ln -sf "/usr/lib/postgresql/$KILN_VERSION/bin/$program" "/usr/local/bin/$program"; done
systemctl --quiet disable postgresql.service
systemctl --quiet enable postgres-server.service
for list in passwd group shadow gshadow subuid subgid; do cp -p "/etc/$list" "/etc/$list-"; done
