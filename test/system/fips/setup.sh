#!/usr/bin/env bash
# Builds OpenSSL's FIPS provider from Debian's source of the release that Node is built with (3.0), once; kept in the cache.
# Leaves $CDK_FTPS_CACHE/fips: fips.so, fipsmodule.cnf (self-tests passed) and openssl.cnf, which a stock Node loads.
set -euo pipefail
target="$CDK_FTPS_CACHE/fips"
[ -e "$target/openssl.cnf" ] && exit 0

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
# Sources are not in the package lists of most machines; they are read into lists of their own, so that the machine's stay as they are.
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
cat > sources.list << LIST
deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian $release main
deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian-security $release-security main
LIST
mkdir -p lists/partial
chmod 755 . # apt downloads as a user of its own
options=(-o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::State::Lists="$work/lists" -o APT::Sandbox::User=root)
apt-get "${options[@]}" update -qq
# The newest first; a mirror that is behind its own lists may not have it yet.
for version in $(apt-cache "${options[@]}" showsrc openssl | sed -n 's/^Version: //p' | sort -rVu); do
  if apt-get "${options[@]}" source --download-only -qq "openssl=$version" 2> apt.log; then break; fi
  rm -f openssl_*
done
ls openssl_*.orig.tar.gz > apt.log 2>&1 || { echo "no source of openssl could be had from Debian" >&2; exit 1; }
tar xf openssl_*.orig.tar.gz
cd openssl-*/
echo "building OpenSSL's FIPS provider once (one to two minutes)" >&2
{ ./Configure enable-fips no-tests linux-x86_64 && make -j"$(nproc)" build_generated providers/fips.so; } > "$work/build.log" 2>&1 || { tail -40 "$work/build.log" >&2; exit 1; }

rm -rf "$target"
mkdir -p "$target"
cp providers/fips.so "$target"
openssl fipsinstall -quiet -out "$target/fipsmodule.cnf" -module "$target/fips.so"
# Written last: it says that everything before it is whole.
cat > "$target/openssl.cnf" << CONF
nodejs_conf = nodejs
.include $target/fipsmodule.cnf

[nodejs]
providers = providers
alg_section = algorithms

[providers]
fips = fips_sect
base = base_sect

[base_sect]
activate = 1

[algorithms]
default_properties = fips=yes
CONF
