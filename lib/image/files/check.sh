#!/usr/bin/env bash
# Checks that a machine is what install.sh and the image's components make of it: one line per check, exit code 1 where one fails.
# The image keeps the lines in /opt/ftps/checks.txt. usage (as root): check.sh
set -uo pipefail
failed=0
check() { # WHAT COMMAND...
  local what=$1 said; shift
  if said=$("$@" 2>&1 < /dev/null); then echo "ok      $what"; else echo "not ok  $what${said:+: $(head -1 <<< "$said")}"; failed=1; fi
}
is() { [ "$(stat -c '%U:%G %a' "$1" 2> /dev/null)" = "$2" ] || { echo "$1 is $(stat -c '%U:%G %a' "$1" 2> /dev/null || echo missing)"; return 1; }; }
no_login() { [[ "$(getent passwd "$1")" == *:/usr/sbin/nologin ]]; }
locked() { case "$(getent shadow "$1" | cut -d: -f2)" in '!'* | '*'*) ;; *) return 1 ;; esac; }
as() { local user=$1; shift; setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups "$@"; }
cannot() { as "$1" true && if as "$1" "${@:2}" > /dev/null 2>&1; then echo "$1 can"; return 1; fi; }

for user in ftps ftps-scan; do
  check "$user can't log in" no_login "$user"
  check "$user has no password" locked "$user"
done
check 'the server is what was shipped' sh -c 'cd /opt/ftps && sha256sum --check --strict --quiet ftps.js.sha256'
check 'nobody changes the server' is /opt/ftps/ftps.js 'root:root 444'
check 'operators have the ftps command' sh -c 'ftps --version'
check 'settings are for the server to read' is /etc/ftps 'root:ftps 750'
check "files are the server's" is /srv/ftps 'ftps:ftps 750'
check 'the audit is for the log agent to read' is /var/log/ftps 'ftps:ftps-log 2750'
check "signatures are the scanner's" is /var/lib/ftps-scanner 'ftps-scan:ftps-scan 700'
check "the server can't read the scanner's files" cannot ftps ls /var/lib/ftps-scanner
check "the server can't read the scanner's settings" cannot ftps cat /etc/ftps-scanner/clamd.conf
check "the server can't change itself" cannot ftps test -w /opt/ftps/ftps.js
check "the server can't change its settings" cannot ftps test -w /etc/ftps
check "the scanner can't read partners' files" cannot ftps-scan ls /srv/ftps
check "the scanner can't read the audit" cannot ftps-scan ls /var/log/ftps
check "the scanner can't read the server's settings" cannot ftps-scan ls /etc/ftps
if getent passwd cwagent > /dev/null; then
  check 'the log agent reads the audit' as cwagent ls /var/log/ftps
  check "the log agent can't read partners' files" cannot cwagent ls /srv/ftps
  check "the log agent can't read the server's settings" cannot cwagent ls /etc/ftps
fi

for unit in /etc/systemd/system/ftps*.service; do
  name=$(basename "$unit")
  check "$name is a sound unit" systemd-analyze --man=no verify "$unit"
  check "$name is sandboxed (exposure at most 2.0)" systemd-analyze security --no-pager --offline=true --threshold=20 "$unit"
done
settings() { grep -v '^ *#' /etc/sysctl.d/60-ftps.conf | grep .; }
applied() { settings | while IFS='=' read -r key value; do
  is=$(sysctl -n "${key// /}" | tr -s '\t ' ' '); want=$(tr -s ' ' <<< "$value" | sed 's/^ //')
  [ "$is" = "$want" ] || { echo "${key// /} is $is, not $want"; exit 1; }
done; }
check 'kernel settings are well-formed' sh -c "! grep -vE '^(#.*|[a-z0-9_.]+ = [0-9 ]+)?\$' /etc/sysctl.d/60-ftps.conf"
check 'the log rotation is sound' logrotate --state /dev/null --debug /etc/logrotate.d/ftps
check 'no core dumps' grep -qx 'Storage=none' /etc/systemd/coredump.conf.d/ftps.conf
check 'no remote shell' sh -c '! command -v sshd && ! test -e /usr/sbin/sshd'
if [ -d /run/systemd/system ]; then
  check 'kernel settings are applied' applied
  check '/tmp is mounted without devices, setuid and programs' sh -c 'findmnt -no OPTIONS /tmp | grep nodev | grep nosuid | grep -q noexec'
  check 'auditd runs' systemctl is-active --quiet auditd
  check 'the clock is kept' systemctl is-active --quiet chronyd
  check 'nothing listens for a shell' sh -c "! ss -Htln | awk '{print \$4}' | grep -E ':22\$'"
fi
exit $failed
