#!/bin/bash
# Within the chroot and its network: boots as an instance does, waits for what it tells its group, then is its client. usage: boot.sh
set -euo pipefail
cd /instance
ip link set lo up
ip address add 169.254.169.254/32 dev lo
"$NODE" edge.mjs edge.json &
edge=$!
trap 'kill $(jobs -p) $(pgrep -x clamd) $(pgrep -f /opt/ftps/ftps.js) 2> /dev/null || true' EXIT
until curl -s -o /dev/null http://169.254.169.254/; do kill -0 $edge; sleep 0.1; done
systemctl start ftps-scanner.service # enabled in the image
bash user-data
for _ in $(seq 900); do [ -s told ] && break; sleep 0.2; done
cat told /var/log/*.service.log
echo "health: $(curl -s http://127.0.0.1:9990/health)"
echo "users: $(ps -eo user:20,args | awk '/ftps.js (serve|firewall)/ && !/awk/ {print $1, $4}' | sort -u | paste -sd,)"
head -c 300000 /dev/urandom > file
for url in ftp://ftps.staging.example.com ftps://ftps.staging.example.com; do
  curl -sS --resolve '*:21:127.0.0.1' --resolve '*:990:127.0.0.1' --ssl-reqd --cacert ca.pem --ftp-skip-pasv-ip -K login -T file "$url/report.bin"
  curl -sS --resolve '*:21:127.0.0.1' --resolve '*:990:127.0.0.1' --ssl-reqd --cacert ca.pem --ftp-skip-pasv-ip -K login "$url/report.bin" -o back
  cmp file back && echo "$url: the same"
done
