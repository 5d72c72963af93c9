#!/bin/bash
# bake.sh RECIPES NAMES: bakes the images that are not in the store, or were baked from other recipes.
set -euo pipefail
read -ra names <<<"$2"
kiln image bake --no-test --folder "$1" "${names[@]}"
kiln image verify
