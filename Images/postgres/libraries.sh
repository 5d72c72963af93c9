#!/bin/sh
# The libraries of Debian 12 that Debian 13 has no more, beside the programs that need them. Hard links take no place.
set -eu
cd /usr/lib/x86_64-linux-gnu
mkdir -p /usr/lib/postgresql/15/libraries
for library in libicudata.so.72 libicui18n.so.72 libicuuc.so.72 libldap-2.5.so.0 liblber-2.5.so.0; do
    ln "$(readlink -f "$library")" "/usr/lib/postgresql/15/libraries/$library"
done
