#!/usr/bin/env bash
# Checks that a machine is what install.sh and the image's components make of it: one line per check, exit code 1 where one fails.
# The image keeps the lines in /opt/ftps/checks.txt. usage (as root): check.sh [--built]    --built: the machine has not been started anew since
set -uo pipefail
failed=0
built=${1:-}
check() { # WHAT COMMAND...
  local what=$1 said; shift
  if said=$("$@" 2>&1 < /dev/null); then echo "ok      $what"; else echo "not ok  $what${said:+: $(head -1 <<< "$said")}"; failed=1; fi
}
is() { [ "$(stat -c '%U:%G %a' "$1" 2> /dev/null)" = "$2" ] || { echo "$1 is $(stat -c '%U:%G %a' "$1" 2> /dev/null || echo missing)"; return 1; }; }
numbered() { [ "$(getent "$1" "$2" | cut -d: -f3)" = "$3" ]; }
no_login() { [[ "$(getent passwd "$1")" == *:/usr/sbin/nologin ]]; }
locked() { case "$(getent shadow "$1" | cut -d: -f2)" in '!'* | '*'*) ;; *) return 1 ;; esac; }
as() { local user=$1; shift; setpriv --reuid="$user" --regid="$(id -g "$user")" --init-groups "$@"; }
cannot() { as "$1" true && if as "$1" "${@:2}" > /dev/null 2>&1; then echo "$1 can"; return 1; fi; }

# The numbers are what a file system in the network keeps.
check 'users and groups have the numbers of every image' eval 'numbered passwd ftps 401 && numbered group ftps 401 && numbered passwd ftps-firewall 402 && numbered passwd ftps-scan 403 && numbered group ftps-scan 403 && numbered group ftps-scan-client 404 && numbered group ftps-log 405'
for user in ftps ftps-firewall ftps-scan; do
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
if systemctl is-enabled --quiet ftps-scanner.service; then check 'there are signatures to scan with' sh -c 'ls /var/lib/ftps-scanner/*.[chn][dlv][bd]'; fi
check 'the scanner reads its settings and signatures' as ftps-scan cat /etc/ftps-scanner/clamd.conf
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
settings() { grep -v '^ *#' /etc/sysctl.d/99-zz-ftps.conf | grep .; }
applied() { settings | while IFS='=' read -r key value; do
  is=$(sysctl -n "${key// /}" | tr -s '\t ' ' '); want=$(tr -s ' ' <<< "$value" | sed 's/^ //')
  [ "$is" = "$want" ] || { echo "${key// /} is $is, not $want"; exit 1; }
done; }
loaded() { local is; is=$(auditctl -l); while read -r key; do grep -q -- "$key" <<< "$is" || { echo "no rule $key"; return 1; }; done < <(grep -o 'ftps-[a-z]*$' /etc/audit/rules.d/ftps.rules | sort -u); }
check 'kernel settings are well-formed' sh -c "! grep -vE '^(#.*|[a-z0-9_.]+ = [0-9 ]+)?\$' /etc/sysctl.d/99-zz-ftps.conf"
check 'no core dumps' grep -qx 'Storage=none' /etc/systemd/coredump.conf.d/ftps.conf
check 'no remote shell' sh -c '! command -v sshd && ! test -e /usr/sbin/sshd'
# What holds only from the next start on: the build leaves /tmp as it is, for Image Builder runs its own programs there.
if [ -d /run/systemd/system ] && [ "$built" != --built ]; then
  check 'kernel settings are applied' applied
  check '/tmp is mounted without devices, setuid and programs' sh -c 'findmnt -no OPTIONS /tmp | grep nodev | grep nosuid | grep -q noexec'
  check 'auditd runs' systemctl is-active --quiet auditd
  check 'changes of the server and of who may do what are audited' loaded
  if getent passwd cwagent > /dev/null; then check "the log agent reads the system's log" as cwagent head -c 1 /var/log/messages; fi
  check 'the clock is kept' systemctl is-active --quiet chronyd
  # The server itself may be there, for SFTP, which has no shell.
  check 'nothing but the server listens on port 22' sh -c "! ss -Htlne | awk '\$4 ~ /:22\$/' | grep -v ' uid:401 '"
fi
exit $failed
