#!/bin/sh
# A number that every version has, for a volume keeps numbers. It runs in the image's tree, before the package makes one.
set -eu
useradd --system --uid 901 --user-group --no-create-home --home-dir /var/lib/etcd --shell /usr/sbin/nologin etcd
