#!/usr/bin/env bash
# Bouncy Castle's CMS, and as2-lib with what it needs, from Maven Central.
set -euo pipefail
version=1.87
for name in bcprov bcutil bcpkix; do
  target="$CDK_FTPS_CACHE/$name-jdk18on-$version.jar"
  [ ! -f "$target" ] || continue
  mvn --quiet --batch-mode -Dmaven.repo.local="$CDK_FTPS_CACHE/maven" dependency:get -Dtransitive=false "-Dartifact=org.bouncycastle:$name-jdk18on:$version"
  cp "$CDK_FTPS_CACHE/maven/org/bouncycastle/$name-jdk18on/$version/$name-jdk18on-$version.jar" "$target"
done
as2_lib=5.1.2
target="$CDK_FTPS_CACHE/as2-lib-$as2_lib"
if [ ! -d "$target" ]; then
  build=$(mktemp -d)
  trap 'rm -rf "$build"' EXIT
  cat > "$build/pom.xml" << POM
<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>tests</groupId>
  <artifactId>as2</artifactId>
  <version>1</version>
  <dependencies>
    <dependency>
      <groupId>com.helger.as2</groupId>
      <artifactId>as2-lib</artifactId>
      <version>$as2_lib</version>
    </dependency>
    <dependency>
      <groupId>org.slf4j</groupId>
      <artifactId>slf4j-simple</artifactId>
      <version>2.0.9</version>
    </dependency>
  </dependencies>
</project>
POM
  mvn --quiet --batch-mode -Dmaven.repo.local="$CDK_FTPS_CACHE/maven" -f "$build/pom.xml" dependency:copy-dependencies -DincludeScope=runtime "-DoutputDirectory=$build/jars"
  mv "$build/jars" "$target"
fi
