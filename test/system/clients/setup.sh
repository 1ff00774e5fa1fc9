#!/usr/bin/env bash
# Apache Commons Net, an old release that is still in many programs and the current one with what it needs, from Maven Central.
set -euo pipefail
for artifact in commons-net:commons-net:3.6 commons-net:commons-net:3.13.0 commons-io:commons-io:2.20.0; do
  IFS=: read -r group name version <<< "$artifact"
  target="$CDK_FTPS_CACHE/$name-$version.jar"
  [ ! -f "$target" ] || continue
  mvn --quiet --batch-mode -Dmaven.repo.local="$CDK_FTPS_CACHE/maven" dependency:get -Dtransitive=false "-Dartifact=$artifact"
  cp "$CDK_FTPS_CACHE/maven/$group/$name/$version/$name-$version.jar" "$target"
done
# Some tests are on files in S3 too.
flock "$CDK_FTPS_CACHE/storage.lock" bash "$(dirname "$0")/../storage/setup.sh"
