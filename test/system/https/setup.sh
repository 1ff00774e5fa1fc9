#!/usr/bin/env bash
# What is kept between runs: axe-core, which looks for barriers in a page, and what examples/https-client names in its package.json, so that it is made
# and compiled as its reader does it.
set -euo pipefail
axe=4.14.1
place="$CDK_FTPS_CACHE/axe-$axe"
[ -f "$place/node_modules/axe-core/axe.min.js" ] || npm install --silent --no-audit --no-fund --ignore-scripts --prefix "$place" "axe-core@$axe"

example="$(cd "$(dirname "$0")/../../.." && pwd)/examples/https-client"
target="$CDK_FTPS_CACHE/https-client"
if ! cmp -s "$example/package.json" "$target/package.json"; then
  rm -rf "$target"
  # Its own package.json is written last: it says that everything it names is there.
  mkdir -p "$target/wanted"
  cp "$example/package.json" "$target/wanted"
  (cd "$target/wanted" && npm install --no-audit --no-fund --silent --no-package-lock)
  mv "$target/wanted/node_modules" "$target/node_modules"
  mv "$target/wanted/package.json" "$target/package.json"
fi
