/** The documents of the image's components: what is installed, how it is hardened, and what is tried before an image counts as good. */

/** A step of an Image Builder component document (AWSTOE, schema version 1.0). */
interface Step {
  readonly name: string;
  readonly action: 'ExecuteBash' | 'S3Download';
  readonly inputs: unknown;
}

function document(name: string, description: string, phases: Readonly<Record<'build' | 'validate' | 'test', readonly Step[] | undefined>>): string {
  return JSON.stringify(
    { name, description, schemaVersion: 1, phases: Object.entries(phases).flatMap(([phase, steps]) => (steps ? [{ name: phase, steps }] : [])) },
    undefined,
    1,
  );
}

function bash(name: string, ...commands: string[]): Step {
  return { name, action: 'ExecuteBash', inputs: { commands: ['set -euo pipefail', ...commands] } };
}

/** Patches the system and installs what the server needs from the distribution. */
export function packagesDocument(): string {
  return document('packages', 'Patches and packages', {
    build: [
      bash('Patch', 'dnf -y upgrade --refresh'),
      bash('Install', 'dnf -y install nodejs24 amazon-cloudwatch-agent amazon-efs-utils nftables chrony audit', 'systemctl enable chronyd auditd'),
    ],
    validate: [bash('Versions', 'node-24 --version', 'rpm -q amazon-cloudwatch-agent amazon-efs-utils nftables chrony audit')],
    test: undefined,
  });
}

/** Brings the server's files from S3, checks them by their hash, and runs their install script. */
export function serverDocument({ source, files }: { source: string; files: readonly { name: string; sha256: string }[] }): string {
  const target = '/opt/ftps-install';
  return document('server', 'The FTPS server', {
    build: [
      bash('Folder', `install -d -m 0755 ${target}`),
      { name: 'Download', action: 'S3Download', inputs: [{ source, destination: `${target}/server.zip` }] },
      bash('Unpack', `cd ${target} && python3 -m zipfile -e server.zip . && rm server.zip`),
      bash('Verify', `cd ${target}`, ...files.map(({ name, sha256 }) => `echo '${sha256}  ${name}' | sha256sum --check --strict`)),
      bash('InstallServer', `NODE=/usr/bin/node-24 bash ${target}/install.sh ${target}`),
    ],
    validate: [bash('Units', 'systemd-analyze verify /etc/systemd/system/ftps.service', 'test "$(stat -c %U:%a /opt/ftps/ftps.js)" = root:444')],
    test: [bash('Speak', 'bash /opt/ftps/self-test.sh')],
  });
}

/** Closes what a file server does not need. */
export function hardeningDocument(): string {
  return document('hardening', 'No remote shell, no core dumps, kernel settings', {
    build: [
      bash('NoSsh', 'systemctl disable --now sshd.service sshd.socket 2>/dev/null || true', 'dnf -y remove openssh-server ec2-instance-connect || true'),
      bash('NoNeedlessServices', 'for unit in rpcbind.service rpcbind.socket gssproxy.service atd.service; do systemctl mask "$unit" || true; done'),
      bash(
        'NoCoreDumps',
        'install -d /etc/systemd/coredump.conf.d',
        "printf '[Coredump]\\nStorage=none\\nProcessSizeMax=0\\n' > /etc/systemd/coredump.conf.d/ftps.conf",
      ),
    ],
    validate: [bash('Closed', '! rpm -q openssh-server', 'sysctl --system > /dev/null', 'test "$(sysctl -n kernel.kptr_restrict)" = 2')],
    test: [bash('NothingListens', "! ss -Htln | awk '{print $4}' | grep -E ':22$'")],
  });
}
