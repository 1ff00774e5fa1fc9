#!/usr/bin/env bash
# Puts the FTPS server onto a Linux machine: users, folders, units, kernel settings. Does nothing that depends on the distribution.
# usage: [NODE=/usr/bin/node] [ROOT=/] install.sh FOLDER    FOLDER holds this script, ftps.js and the files beside it.
set -euo pipefail
from=$(realpath "${1:?usage: install.sh FOLDER}")
root=${ROOT:-}
node=${NODE:-/usr/bin/node}

# Users: the server runs as one of its own that owns nothing but the files and its log.
getent group ftps >/dev/null || groupadd --system ftps
getent passwd ftps >/dev/null || useradd --system --gid ftps --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin ftps

install -d -m 0755 "$root/opt/ftps"
install -m 0444 "$from/ftps.js" "$root/opt/ftps/ftps.js"
install -m 0555 "$from/self-test.sh" "$root/opt/ftps/self-test.sh"
install -d -m 0750 -o root -g ftps "$root/etc/ftps"
install -d -m 0750 -o ftps -g ftps "$root/srv/ftps"
install -d -m 0750 -o ftps -g ftps "$root/var/log/ftps"

install -d "$root/etc/systemd/system" "$root/etc/sysctl.d" "$root/etc/logrotate.d"
sed "s|@NODE@|$node|" "$from/ftps.service" > "$root/etc/systemd/system/ftps.service"
chmod 0644 "$root/etc/systemd/system/ftps.service"
install -m 0644 "$from/60-ftps.conf" "$root/etc/sysctl.d/60-ftps.conf"
install -m 0644 "$from/ftps.logrotate" "$root/etc/logrotate.d/ftps"

# A file with settings must be there before the unit starts; an instance gets it at boot.
if [ -z "$root" ] && command -v systemctl >/dev/null && [ -d /run/systemd/system ]; then systemctl daemon-reload; fi
