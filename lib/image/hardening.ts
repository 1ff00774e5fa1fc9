/** The documents of the image's components: what is installed, how it is hardened, and what is tried before an image counts as good. */

import { bash, document } from './documents';

/** What the distribution provides. */
const PACKAGES = [
  'nodejs24',
  'clamav',
  'clamd',
  'clamav-freshclam',
  'amazon-cloudwatch-agent',
  'amazon-efs-utils',
  'nftables',
  'chrony',
  'audit',
  'rsyslog',
  'logrotate',
];

/** Patches the system and installs what the server needs from the distribution. */
export function packagesDocument(): string {
  return document('packages', 'Patches and packages', {
    build: [
      // An image of Amazon Linux is locked to the release that it was made from: without another named, nothing is ever patched
      // (Amazon Linux 2023 user guide, "Deterministic upgrades through versioned repositories"). hardeningDocument records which it was.
      bash('Patch', 'dnf -y upgrade --refresh --releasever=latest'),
      bash('Install', `dnf -y install --releasever=latest ${PACKAGES.join(' ')}`, 'systemctl enable chronyd auditd rsyslog'),
      // The self-test speaks FTPS with curl, which the distribution has in two sizes.
      bash(
        'Curl',
        'curl --version | grep -qw ftps || dnf -y --releasever=latest swap libcurl-minimal libcurl-full',
        'curl --version | grep -qw ftps || dnf -y --releasever=latest swap curl-minimal curl-full',
      ),
      // The distribution's own units of the scanner would run beside ours.
      bash('OwnScanner', 'for unit in clamav-freshclam.service clamd@scan.service; do systemctl mask "$unit"; done'),
    ],
    // Not `clamd --version`: without a settings file of its own, which the package leaves to its user, clamd only complains.
    validate: [bash('Versions', 'node-24 --version', `rpm -q --whatprovides ${PACKAGES.join(' ')}`)],
  });
}

/** Brings the server's files from S3, checks them by their hash, runs their install script, and fetches signatures for the virus scanner where there is to be one. */
export function serverDocument({
  source,
  files,
  virusScanner,
}: {
  source: string;
  files: readonly { name: string; sha256: string }[];
  virusScanner: boolean;
}): string {
  const target = '/opt/ftps-install';
  return document('server', 'The FTPS server', {
    build: [
      bash('Folder', `install -d -m 0755 ${target}`),
      { name: 'Download', action: 'S3Download', inputs: [{ source, destination: `${target}/server.zip` }] },
      bash('Unpack', `cd ${target} && python3 -m zipfile -e server.zip . && rm server.zip`),
      bash('Verify', `cd ${target}`, ...files.map(({ name, sha256 }) => `echo '${sha256}  ${name}' | sha256sum --check --strict`)),
      bash('InstallServer', `NODE=/usr/bin/node-24 bash ${target}/install.sh ${target}`, `rm -r ${target}`),
      ...(virusScanner
        ? [
            bash('Scanner', 'systemctl enable ftps-signatures.timer ftps-scanner.service'),
            // By its own unit, so that the unit is tried as well. An instance scans with these until it has newer ones. What names the machine is left out.
            bash(
              'Signatures',
              'for wait in 60 120 240 0; do if systemctl start ftps-signatures.service; then break; else sleep $wait; fi; done',
              'systemctl stop ftps-scanner.service',
              'rm -f /var/lib/ftps-scanner/freshclam.dat',
              'ls -l /var/lib/ftps-scanner/main.c[lv]d /var/lib/ftps-scanner/daily.c[lv]d',
            ),
          ]
        : []),
    ],
    test: [bash('Speak', 'bash /opt/ftps/self-test.sh')],
  });
}

/** Closes what a file server does not need. */
export function hardeningDocument(): string {
  const noexec = 'rw,nosuid,nodev,noexec,relatime';
  return document('hardening', 'No remote shell, no core dumps, kernel and mount settings', {
    build: [
      bash('NoSsh', 'systemctl disable --now sshd.service sshd.socket 2>/dev/null || true', 'dnf -y remove openssh-server ec2-instance-connect || true'),
      bash(
        'NoNeedlessServices',
        'for unit in rpcbind.service rpcbind.socket gssproxy.service atd.service nfs-server.service; do systemctl mask "$unit" || true; done',
      ),
      bash(
        'MountOptions',
        // Its options hold from the next start on. The build itself goes on in /var/tmp, and so do the tests (see the recipe).
        'systemctl unmask tmp.mount && { systemctl enable tmp.mount || true; }',
        'install -d /etc/systemd/system/tmp.mount.d',
        `printf '[Mount]\\nOptions=mode=1777,strictatime,nosuid,nodev,noexec,size=50%%%%,nr_inodes=1m\\n' > /etc/systemd/system/tmp.mount.d/options.conf`,
        `grep -q ' /dev/shm ' /etc/fstab || echo 'tmpfs /dev/shm tmpfs ${noexec} 0 0' >> /etc/fstab`,
      ),
      bash(
        'CryptoPolicy',
        'dnf -y install crypto-policies-scripts',
        // --show says which policy it is; --is-applied only whether it is in effect.
        'case $(update-crypto-policies --show) in FIPS*) ;; *) update-crypto-policies --set DEFAULT:NO-SHA1 ;; esac',
      ),
    ],
    validate: [
      // The results stay in the image; the build's log has them as well.
      bash(
        'Checks',
        'systemctl daemon-reload',
        `{ rpm -q --qf 'release %{VERSION}, built %{BUILDTIME:date}\\n' system-release; uname -r; getenforce || true; update-crypto-policies --show; } > /opt/ftps/checks.txt`,
        'bash /opt/ftps/check.sh --built | tee -a /opt/ftps/checks.txt',
      ),
    ],
    test: [bash('BootedChecks', 'bash /opt/ftps/check.sh')],
  });
}

/** Boots the kernel and its cryptography in FIPS mode (Amazon Linux 2023 user guide, "Enable FIPS Mode on AL2023"). */
export function fipsDocument(): string {
  return document('fips', 'FIPS 140-3 mode', {
    build: [bash('Enable', 'dnf -y install crypto-policies crypto-policies-scripts', 'fips-mode-setup --enable'), { name: 'Reboot', action: 'Reboot' }],
    validate: [bash('Enabled', 'test "$(cat /proc/sys/crypto/fips_enabled)" = 1')],
    // What counts is how the cryptography behaves: MD5 is refused, SHA-256 works.
    test: [
      bash(
        'Behaviour',
        'test "$(cat /proc/sys/crypto/fips_enabled)" = 1',
        `node-24 -e "const c = require('crypto'); c.createHash('sha256'); try { c.createHash('md5'); process.exit(1) } catch {}"`,
      ),
    ],
  });
}
