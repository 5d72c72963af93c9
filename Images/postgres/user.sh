#!/bin/sh
# A number that every version has, for a volume keeps numbers. It runs in the image's tree, before the package makes one.
set -eu
useradd --system --uid 903 --user-group --no-create-home --home-dir /var/lib/postgresql --shell /bin/bash postgres
# The only cluster is the volume's.
mkdir -p /etc/postgresql-common
echo 'create_main_cluster = false' > /etc/postgresql-common/createcluster.conf
