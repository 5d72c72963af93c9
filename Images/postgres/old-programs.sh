#!/bin/sh
# The programs of version 15 find their libraries. It runs in the tree of version 17.
set -eu
echo /usr/lib/postgresql/15/libraries > /etc/ld.so.conf.d/postgresql-15.conf
ldconfig
if ldd /usr/lib/postgresql/15/bin/* | grep 'not found'; then exit 1; fi
