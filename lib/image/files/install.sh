#!/usr/bin/env bash
# Puts the FTPS server onto a Linux machine: users, folders, units, kernel settings. Does nothing that depends on the distribution.
# usage: [NODE=/usr/bin/node] install.sh FOLDER    FOLDER holds this script, ftps.js and the files beside it.
set -euo pipefail
from=$(realpath "${1:?usage: install.sh FOLDER}")
node=${NODE:-/usr/bin/node}
umask 022 # hardening may have left another

# Another server than the one that was shipped is not installed, and nothing has been touched by then.
if ! (cd "$from" && sha256sum --check --strict --quiet ftps.js.sha256); then
  echo "install.sh: $from/ftps.js is not the server that was shipped; get the package anew" >&2
  exit 1
fi

# Who does what: the server serves, the firewall opens its ports, the scanner scans, the log agent reads the audit. None can log in, and none owns what another needs.
# Their numbers are the same in every image, for a file system in the network keeps numbers, not names. Packages take theirs from 999 down.
numbered() { # passwd|group NAME NUMBER
  local is; is=$(getent "$1" "$2" | cut -d: -f3)
  [ "$is" = "$3" ] || { echo "install.sh: $2 has the number $is here, and files of other instances belong to $3; remove it, or give it that number, and its files with it" >&2; exit 1; }
}
group() { getent group "$1" > /dev/null || groupadd --system --gid "$2" "$1"; numbered group "$1" "$2"; }
user() { getent passwd "$1" > /dev/null || useradd --system --uid "$2" --gid "$3" --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin "$1"; numbered passwd "$1" "$2"; }
group ftps 401 && user ftps 401 ftps
user ftps-firewall 402 ftps # CAP_NET_ADMIN and the server's settings, nothing else
group ftps-scan 403 && user ftps-scan 403 ftps-scan
group ftps-scan-client 404 # may speak to the scanner
group ftps-log 405         # may read the audit
usermod --append --groups ftps-scan-client ftps
usermod --append --groups ftps-scan-client ftps-scan
if getent passwd cwagent > /dev/null; then usermod --append --groups ftps-log cwagent; fi

install -d -m 0755 /opt/ftps
install -m 0444 "$from/ftps.js" "$from/ftps.js.sha256" /opt/ftps/
printf '#!/bin/sh\nexec %s --no-warnings /opt/ftps/ftps.js "$@"\n' "$node" > /usr/bin/ftps # where sudo looks, too
chmod 0555 /usr/bin/ftps
install -m 0444 "$from/ftps.js.LEGAL.txt" "$from/THIRD-PARTY-LICENSES" "$from/ftps.cdx.json" /opt/ftps/ # what is in it, and by which licences
install -m 0555 "$from/self-test.sh" "$from/check.sh" "$from/health.sh" /opt/ftps/
install -d -m 0750 -o root -g ftps /etc/ftps
install -d -m 0750 -o ftps -g ftps /srv/ftps
install -d -m 2750 -o ftps -g ftps-log /var/log/ftps # setgid: the audit belongs to the group of the log agent

install -d -m 0750 -o root -g ftps-scan /etc/ftps-scanner
install -m 0640 -o root -g ftps-scan "$from/clamd.conf" "$from/freshclam.conf" /etc/ftps-scanner/
install -d -m 0700 -o ftps-scan -g ftps-scan /var/lib/ftps-scanner

install -d /etc/systemd/system /etc/systemd/coredump.conf.d /etc/sysctl.d /etc/modprobe.d /etc/audit/rules.d /etc/rsyslog.d /etc/tmpfiles.d
for unit in "$from"/*.service "$from"/*.timer; do
  sed "s|@NODE@|$node|" "$unit" > "/etc/systemd/system/$(basename "$unit")"
  chmod 0644 "/etc/systemd/system/$(basename "$unit")"
done
install -m 0644 "$from/99-zz-ftps.conf" /etc/sysctl.d/99-zz-ftps.conf
rm -f /etc/logrotate.d/ftps # of versions whose server did not rotate its audit itself
install -m 0644 "$from/ftps.modprobe" /etc/modprobe.d/ftps.conf
install -m 0640 "$from/ftps.rules" /etc/audit/rules.d/ftps.rules
install -m 0644 "$from/ftps.rsyslog" /etc/rsyslog.d/10-ftps.conf
install -m 0644 "$from/ftps.tmpfiles" /etc/tmpfiles.d/ftps.conf
printf '[Coredump]\nStorage=none\nProcessSizeMax=0\n' > /etc/systemd/coredump.conf.d/ftps.conf

# An instance brings its settings when it boots; ftps.service is enabled then.
if [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
