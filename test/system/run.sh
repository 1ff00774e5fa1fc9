#!/usr/bin/env bash
# The system tests: real clients and daemons against the built server. Installs the Debian packages it needs itself.
# usage: test/system/run.sh [jest arguments]
set -euo pipefail
cd "$(dirname "$0")/../.."

packages=(curl lftp openssl ncat)
missing=()
for package in "${packages[@]}"; do dpkg-query -W -f='${Status}' "$package" 2> /dev/null | grep -q 'install ok installed' || missing+=("$package"); done
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" != 0 ]; then echo "These Debian packages are missing, and only root can install them: ${missing[*]}" >&2; exit 1; fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
fi

npm run --silent build -- --quiet
exec npx jest --config jest.system.config.js "$@"
