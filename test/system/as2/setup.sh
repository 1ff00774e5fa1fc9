#!/usr/bin/env bash
# Bouncy Castle's CMS, from Maven Central.
set -euo pipefail
version=1.87
for name in bcprov bcutil bcpkix; do
  target="$CDK_FTPS_CACHE/$name-jdk18on-$version.jar"
  [ ! -f "$target" ] || continue
  mvn --quiet --batch-mode -Dmaven.repo.local="$CDK_FTPS_CACHE/maven" dependency:get -Dtransitive=false "-Dartifact=org.bouncycastle:$name-jdk18on:$version"
  cp "$CDK_FTPS_CACHE/maven/org/bouncycastle/$name-jdk18on/$version/$name-jdk18on-$version.jar" "$target"
done
