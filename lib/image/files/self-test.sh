#!/usr/bin/env bash
# Tries a freshly installed server before its image counts as good: both listeners on their real ports, TLS versions, no login in
# plain text, no port open besides those configured. As root it runs the server as its own user.
# usage: [NODE=/usr/bin/node-24] [FTPS_JS=/opt/ftps/ftps.js] self-test.sh
set -euo pipefail
node=${NODE:-$(command -v node-24 || command -v node)}
js=${FTPS_JS:-/opt/ftps/ftps.js}
dir=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$dir"' EXIT
head -c 24 /dev/urandom | base64 > "$dir/password"
as=(); explicit=0; implicit=0; passive=0-0
if [ "$(id -u)" = 0 ]; then
  as=(setpriv --reuid=ftps --regid=ftps --init-groups --inh-caps=-all,+net_bind_service --ambient-caps=-all,+net_bind_service --bounding-set=-all,+net_bind_service --no-new-privs)
  explicit=21; implicit=990; passive=50000-50015
  chown -R ftps:ftps "$dir"
fi
before=$(ss -Htln | awk '{print $4}' | sed 's/.*://' | sort -u)
"${as[@]}" "$node" "$js" serve --user probe --password-file "$dir/password" --state "$dir/state" --explicit-port $explicit --implicit-port $implicit \
  --passive-ports $passive --audit "$dir/audit.json" --ready-file "$dir/ready.json" 2> "$dir/log" &
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
if [ "$(id -u)" = 0 ]; then
  opened=$(comm -13 <(echo "$before") <(ss -Htln | awk '{print $4}' | sed 's/.*://' | sort -u) | sort -n | paste -sd' ')
  [ "$opened" = "$(echo 21 990 $(seq 50000 50015))" ] || { echo "these ports are open: $opened"; exit 1; }
  [ "$(ps -o user= -p "$(pgrep -f "serve --user probe" | head -1)")" = ftps ] || { echo 'the server does not run as its user'; exit 1; }
fi
# The scanner by its unit, as on an instance: it reads its signatures, and finds the test file for scanners when the server's user asks.
if [ "$(id -u)" = 0 ] && [ -d /run/systemd/system ] && systemctl is-enabled --quiet ftps-scanner.service; then
  systemctl start ftps-scanner.service
  setpriv --reuid=ftps --regid=ftps --init-groups "$node" -e '
    const test = ["X5O!P%@AP[4\\PZX54(P^)7CC)7}$EIC", "AR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"].join("");
    const until = Date.now() + 300_000;
    const ask = () => {
      const socket = require("net").connect("/run/ftps-scanner/clamd.sock");
      socket.on("error", (error) => {
        if (Date.now() > until) { console.log(`the scanner does not answer (${error.code})`); process.exit(1); }
        setTimeout(ask, 500);
      });
      const length = Buffer.alloc(4);
      length.writeUInt32BE(test.length);
      let said = "";
      socket.on("connect", () => socket.write(Buffer.concat([Buffer.from("zINSTREAM\0"), length, Buffer.from(test), Buffer.alloc(4)])));
      socket.on("data", (text) => { said += text; }).on("end", () => {
        if (said.includes(" FOUND")) process.exit(0);
        console.log(`the scanner finds nothing: ${said}`);
        process.exit(1);
      });
    };
    ask();'
  echo 'the scanner scans as it should'
fi
echo 'the server speaks FTPS as it should'
