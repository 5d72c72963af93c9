#!/bin/sh
# A number that every version has, for a volume keeps numbers. It runs in the image's tree, before the package makes one.
set -eu
# The links of Java's package lead there.
mkdir -p /usr/share/man/man1
useradd --system --uid 902 --user-group --no-create-home --home-dir /var/lib/zookeeper --shell /usr/sbin/nologin zookeeper
