#!/usr/bin/env bash
# Apache Commons Net, an old release that is still in many programs and the current one, from Maven Central.
set -euo pipefail
for version in 3.6 3.13.0; do
  target="$CDK_FTPS_CACHE/commons-net-$version.jar"
  [ ! -f "$target" ] || continue
  mvn --quiet --batch-mode -Dmaven.repo.local="$CDK_FTPS_CACHE/maven" dependency:get -Dtransitive=false "-Dartifact=commons-net:commons-net:$version"
  cp "$CDK_FTPS_CACHE/maven/commons-net/commons-net/$version/commons-net-$version.jar" "$target"
done
