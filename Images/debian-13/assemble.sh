#!/bin/sh
# What makes Debian an image is the same for its releases.
exec "$KILN_SHARED/debian/assemble.sh"
