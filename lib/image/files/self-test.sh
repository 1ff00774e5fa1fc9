#!/usr/bin/env bash
# Tries a freshly installed server before its image counts as good: both listeners, TLS versions, no login in plain text.
# usage: [NODE=/usr/bin/node-24] self-test.sh
set -euo pipefail
node=${NODE:-$(command -v node-24 || command -v node)}
dir=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$dir"' EXIT
head -c 24 /dev/urandom | base64 > "$dir/password"
"$node" "${FTPS_JS:-/opt/ftps/ftps.js}" serve --user probe --password-file "$dir/password" --state "$dir/state" --explicit-port 0 --implicit-port 0 \
  --passive-ports 0-0 --audit "$dir/audit.json" --ready-file "$dir/ready.json" 2> "$dir/log" &
server=$!
for _ in $(seq 300); do [ -s "$dir/ready.json" ] && break; kill -0 "$server" || { cat "$dir/log"; exit 1; }; sleep 0.1; done
port() { "$node" -p "JSON.parse(require('fs').readFileSync('$dir/ready.json'))['$1']"; }
ca=$(port ca); explicit=$(port explicit); implicit=$(port implicit)
auth="user = \"probe:$(cat "$dir/password")\""
head -c 1000000 /dev/urandom > "$dir/file"
for url in "ftp://localhost:$explicit" "ftps://localhost:$implicit"; do
  for version in 1.2 1.3; do
    curl -sS --config - --cacert "$ca" --ssl-reqd --tlsv$version --tls-max $version -T "$dir/file" "$url/probe-$version" <<< "$auth"
    curl -sS --config - --cacert "$ca" --ssl-reqd --tlsv$version --tls-max $version "$url/probe-$version" -o "$dir/back" <<< "$auth"
    cmp "$dir/file" "$dir/back"
  done
done
if curl -sS --config - "ftp://localhost:$explicit/" <<< "$auth" 2> /dev/null; then echo 'a login in plain text was taken'; exit 1; fi
if curl -sS --cacert "$ca" --tlsv1.0 --tls-max 1.1 --ciphers 'ALL:@SECLEVEL=0' "ftps://localhost:$implicit/" 2> /dev/null; then echo 'TLS 1.1 was taken'; exit 1; fi
echo 'the server speaks FTPS as it should'
