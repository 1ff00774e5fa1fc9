# A room of its own for the commands of the documentation: network, /etc/ftps, /var/log/ftps, /run, hosts and trust store are private to it, so
# that host names, ports and files are those that are printed. Inside: a server as an instance runs it, `npm start`, and an AWS account of moto.
# usage: unshare --net --mount --pid --fork --kill-child --mount-proc bash room.sh FOLDER      FOLDER holds clone/; says "ready", ends with its input
set -euo pipefail
room=$1 here=$(cd "$(dirname "$0")" && pwd) clone=$1/clone
cd "$room"
exec 3>&1
trap 'tail -n 5 "$room"/*.log >&3' ERR
mkdir -p etc log run home bin files signatures temporary

ip link set lo up
ip address add 203.0.113.7/32 dev lo
mount --make-rprivate /
printf '127.0.0.1 localhost\n203.0.113.7 ftps.example.com ftps.staging.example.com\n' > hosts
mount --bind hosts /etc/hosts
mkdir -p /etc/ftps /var/log/ftps
mount --bind etc /etc/ftps
mount --bind log /var/log/ftps
mount --bind run /run
mkdir -p /run/ftps-firewall /run/ftps-scanner

# An authority that everybody here trusts, as they trust the one of a public certificate.
issue() { # NAME
  openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.csr" -subj /CN=ftps.example.com
  openssl x509 -req -in "$1.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 90 -out "$1.pem" -extfile <(printf 'subjectAltName=DNS:ftps.example.com,DNS:ftps.staging.example.com')
}
{
  openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj '/CN=Authority of the documentation' -days 90
  for name in server first second; do issue $name; done
} 2> openssl.log
rm openssl.log
cat server.pem ca.pem > /etc/ftps/server.pem
cp server.key /etc/ftps/server.key
mount --bind ca.pem /etc/ssl/certs/ca-certificates.crt
keytool -importcert -noprompt -alias documentation -file ca.pem -keystore trust.jks -storepass changeit 2> keytool.log

# What the shells of a reader have, wherever they are.
printf '#!/bin/sh\nexec node --no-warnings %s "$@"\n' "$here/../../../dist/image/ftps.js" > bin/ftps
chmod 755 bin/ftps
printf 'machine ftps.example.com login partner password %s\n' "$PASSWORD" > home/.netrc
chmod 600 home/.netrc
export HOME=$room/home PATH=$room/bin:$CDK_FTPS_VENV/bin:$PATH SSL_CERT_FILE=$room/ca.pem NO_COLOR=1 AWS_PAGER=
export JAVA_TOOL_OPTIONS="-Djavax.net.ssl.trustStore=$room/trust.jks -Djavax.net.ssl.trustStorePassword=changeit"
export AWS_REGION=eu-central-1 AWS_DEFAULT_REGION=eu-central-1 AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_EC2_METADATA_DISABLED=true

# Runs until the room is left; its output is in NAME.log. Waits until it has said WORDS.
daemon() { # NAME WORDS COMMAND...
  local name=$1 words=$2; shift 2
  : > "$name.log"
  "$@" < <(exec sleep infinity) > "$name.log" 2>&1 &
  local pid=$!
  grep -q -m1 -- "$words" < <(exec tail -n +1 -f --pid="$pid" "$name.log") 
}

cat > clamd.conf << END
Foreground yes
LocalSocket /run/ftps-scanner/clamd.sock
DatabaseDirectory $room/signatures
TemporaryDirectory $room/temporary
END
echo "Test.Eicar:0:*:$EICAR_HEX" > signatures/test.ndb
daemon clamd 'Self checking every' clamd --config-file clamd.conf

sources='{ "kind": "file", "file": "/etc/ftps/accounts.json" }'
if [ "${2:-}" = everything ]; then
  daemon moto '^[0-9]' env PYTHONUNBUFFERED=1 PYTHONPATH="$here/../support:$here/../certificate:$here/../transfer-family" python "$here/moto_of_the_guides.py"
  AWS_ENDPOINT_URL=http://127.0.0.1:$(grep -m1 '^[0-9]' moto.log)
  export AWS_ENDPOINT_URL
  sources+=', { "kind": "secrets", "prefix": "ftps/staging/accounts/" }'
fi

for account in partner demo; do ftps user add $account --home / --file /etc/ftps/accounts.json <<< "$PASSWORD"; done 2> accounts.log
cat > /etc/ftps/server.json << END
{ "listeners": [{ "mode": "explicit", "host": "0.0.0.0", "port": 21 }, { "mode": "implicit", "host": "0.0.0.0", "port": 990 }],
  "https": { "host": "0.0.0.0", "port": 443 },
  "storage": { "kind": "local", "root": "$room/files" }, "audit": { "destination": "/var/log/ftps/audit.json" },
  "firewall": { "mode": "nftables" }, "antivirus": { "kind": "clamd", "socket": "/run/ftps-scanner/clamd.sock" },
  "tls": { "certificates": [{ "kind": "file", "certificate": "/etc/ftps/server.pem", "key": "/etc/ftps/server.key" }] },
  "identity": [$sources], "admin": { "port": 9990 } }
END
daemon firewall 'are closed' ftps firewall --config /etc/ftps/server.json
daemon server 'listening admin' ftps serve --config /etc/ftps/server.json
curl -sS "ftp://ftps.example.com/" --ssl-reqd -u "partner:$PASSWORD" > /dev/null

if [ "${2:-}" = everything ]; then
  (cd "$clone" && daemon "$room/laptop" 'Ctrl-C' env -u NO_COLOR FORCE_COLOR=1 npm start -- --passive-ports 51000-51015) &
  laptop=$!
  . "$here/account.sh"
  wait "$laptop"
fi
export -p > environment
echo ready
cat > /dev/null
