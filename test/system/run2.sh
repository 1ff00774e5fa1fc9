#!/usr/bin/env bash
# The system tests: real clients and daemons against the built server.
# An area is a folder here. What it needs stands beside its tests: apt.txt (Debian packages), pip.txt (PyPI packages with
# versions, in one virtual environment), setup.sh (anything else, kept between runs in $CDK_FTPS_CACHE).
# usage: test/system/run.sh [AREA ...]     all areas by default
set -euo pipefail
cd "$(dirname "$0")/../.."
export CDK_FTPS_CACHE="${CDK_FTPS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/cdk-ftps}"
export CDK_FTPS_VENV="$CDK_FTPS_CACHE/venv"
mkdir -p "$CDK_FTPS_CACHE"

areas=("$@")
if [ ${#areas[@]} = 0 ]; then for file in test/system/*/*.test.ts; do areas+=("$(basename "$(dirname "$file")")"); done; fi
mapfile -t areas < <(printf '%s\n' "${areas[@]}" | sort -u)
lists() { for area in "${areas[@]}"; do if [ -f "test/system/$area/$1" ]; then sed 's/#.*//' "test/system/$area/$1"; fi; done | tr -s ' \n' '\n' | sort -u | sed '/^$/d'; }

mapfile -t packages < <(lists apt.txt)
missing=()
for package in "${packages[@]}"; do dpkg-query -W -f='${Status}' "$package" 2> /dev/null | grep -q 'install ok installed' || missing+=("$package"); done
if [ ${#missing[@]} -gt 0 ]; then
  if [ "$(id -u)" != 0 ]; then echo "These Debian packages are missing, and only root can install them: ${missing[*]}" >&2; exit 1; fi
  export DEBIAN_FRONTEND=noninteractive
  # Daemons are started by the tests, on ports of their own; a package must not start one by itself.
  policy=/usr/sbin/policy-rc.d
  if [ ! -e $policy ]; then printf '#!/bin/sh\nexit 101\n' > $policy && chmod 755 $policy && trap 'rm -f /usr/sbin/policy-rc.d' EXIT; fi
  apt-get -o DPkg::Lock::Timeout=300 update -qq
  apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
fi

mapfile -t modules < <(lists pip.txt)
if [ ${#modules[@]} -gt 0 ]; then
  [ -x "$CDK_FTPS_VENV/bin/python" ] || python3 -m venv "$CDK_FTPS_VENV"
  # One at a time: two runs may share the environment.
  flock "$CDK_FTPS_CACHE/venv.lock" "$CDK_FTPS_VENV/bin/python" -m pip install --quiet --disable-pip-version-check "${modules[@]}"
fi
for area in "${areas[@]}"; do if [ -f "test/system/$area/setup.sh" ]; then flock "$CDK_FTPS_CACHE/$area.lock" bash "test/system/$area/setup.sh"; fi; done

npm run --silent build -- --quiet
# When the last test is over so is the run, whatever a program that a test has started still holds open.
npx jest --config /tmp/h/jest2.config.js --forceExit --json --outputFile=/tmp/sys2.json "${areas[@]/#/test/system/}"
