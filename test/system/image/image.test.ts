/** install.sh in a fresh system: the script that builds the image, run in a chroot with a network of its own. */
import { chmodSync, copyFileSync, cpSync, existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from '../support/served';

const image = join(__dirname, '../../../dist/image');
const cache = process.env['CDK_FTPS_CACHE']!;
const eicar = Buffer.from('X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*').toString('hex');
let root: string;

/** Runs a script inside: own root, processes, mounts and network (loopback only). */
function inside(script: string, env: Record<string, string> = {}): Promise<{ code: number | null; output: string }> {
  const set = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  const enter = 'mount -t proc proc "$0/proc" && exec chroot "$0" "$@"';
  const body = `ip link set lo up\n${script}`;
  return run('unshare', [
    '--mount',
    '--net',
    '--pid',
    '--fork',
    'bash',
    '-c',
    enter,
    root,
    '/usr/bin/env',
    '-i',
    'PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'HOME=/root',
    'NODE=/usr/local/bin/node',
    ...set,
    'bash',
    '-c',
    body,
  ]);
}

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'ftps-image-'));
  const archive = readdirSync(cache).find((name) => /^image-root-.*\.tar$/.test(name))!;
  expect(await run('tar', ['-C', root, '-xf', join(cache, archive)])).toMatchObject({ code: 0 });
  chmodSync(root, 0o755); // other users live in it
  copyFileSync(process.execPath, join(root, 'usr/local/bin/node'));
  cpSync(image, join(root, 'opt/ftps-install'), { recursive: true });
  // The log agent of the image comes with a user of its own.
  const installed = await inside(
    'useradd --system --shell /usr/sbin/nologin cwagent && bash /opt/ftps-install/install.sh /opt/ftps-install && rm -r /opt/ftps-install',
  );
  expect(installed).toMatchObject({ code: 0 });
  // One signature: the EICAR test file.
  writeFileSync(join(root, 'var/lib/ftps-scanner/test.ndb'), `Eicar-Test:0:*:${eicar}\n`);
  expect(await inside('chown -R ftps-scan:ftps-scan /var/lib/ftps-scanner')).toMatchObject({ code: 0 });
}, 240_000);
afterAll(() => rmSync(root, { recursive: true, force: true }));

it('every check that the image is built with passes', async () => {
  const { code, output } = await inside('bash /opt/ftps/check.sh');
  expect(output.split('\n').filter((line) => line.startsWith('not ok'))).toEqual([]);
  expect(output.split('\n').filter((line) => line.startsWith('ok')).length).toBeGreaterThanOrEqual(30);
  expect(code).toBe(0);
}, 60_000);

it.each([
  [
    'a server that was changed',
    'chmod u+w /opt/ftps/ftps.js && echo "//" >> /opt/ftps/ftps.js && chmod 444 /opt/ftps/ftps.js',
    'the server is what was shipped',
  ],
  ['an audit that anybody can change', 'chmod 2777 /var/log/ftps', 'the audit is for the log agent to read'],
  ['signatures that the server can read', 'chmod 755 /var/lib/ftps-scanner', "the server can't read the scanner's files"],
  ['files that the log agent can read', 'chmod 755 /srv/ftps', "the log agent can't read partners' files"],
  ['a unit without its sandbox', 'sed -i "/^Protect/d;/^Private/d;/^System/d" /etc/systemd/system/ftps.service', 'ftps.service is sandboxed'],
  [
    'a server that may do what root does',
    'sed -i "s/^CapabilityBoundingSet=.*/CapabilityBoundingSet=CAP_SYS_ADMIN CAP_NET_ADMIN/;/NoNew/d;/^User/d" /etc/systemd/system/ftps.service',
    'ftps.service is sandboxed',
  ],
  ['an account with a shell', 'usermod --shell /bin/bash ftps-scan', "ftps-scan can't log in"],
  ['a remote shell', 'touch /usr/sbin/sshd', 'no remote shell'],
])(
  'the checks find %s',
  async (_, damage, check) => {
    const copies = ['opt/ftps', 'var/log/ftps', 'var/lib/ftps-scanner', 'srv/ftps', 'etc'];
    const keep = join(root, 'keep');
    await run('mkdir', [keep]);
    await run('tar', ['-C', root, '-cf', join(keep, 'state.tar'), ...copies]);
    try {
      const { code, output } = await inside(`${damage}; bash /opt/ftps/check.sh`);
      expect(code).toBe(1);
      expect(
        output
          .split('\n')
          .filter((line) => line.startsWith('not ok'))
          .join('\n'),
      ).toContain(`not ok  ${check}`);
    } finally {
      rmSync(join(root, 'usr/sbin/sshd'), { force: true });
      await run('tar', ['-C', root, '--same-owner', '-xpf', join(keep, 'state.tar')]);
      rmSync(keep, { recursive: true });
    }
  },
  60_000,
);

it('another server than the one that was shipped is not installed', async () => {
  cpSync(image, join(root, 'opt/ftps-install'), { recursive: true });
  const { code, output } = await inside(
    'echo "//" >> /opt/ftps-install/ftps.js; before=$(stat -c %z /opt/ftps/*); bash /opt/ftps-install/install.sh /opt/ftps-install; code=$?; [ "$before" = "$(stat -c %z /opt/ftps/*)" ] || echo changed; exit $code',
  );
  await inside('rm -r /opt/ftps-install');
  expect(output).toContain('is not the server that was shipped');
  expect(output).not.toContain('changed');
  expect(code).toBe(1);
}, 60_000);

it('installing again changes nothing', async () => {
  cpSync(image, join(root, 'opt/ftps-install'), { recursive: true });
  const list =
    'find /opt/ftps /etc/ftps* /srv/ftps /var/lib/ftps-scanner /var/log/ftps /etc/systemd/system -printf "%p %u:%g %m\\n" | sort; getent passwd; getent group';
  const before = await inside(list);
  expect(before.output).toContain('/opt/ftps/ftps.js root:root 444');
  expect(await inside('bash /opt/ftps-install/install.sh /opt/ftps-install')).toMatchObject({ code: 0 });
  await inside('rm -r /opt/ftps-install');
  expect(await inside(list)).toEqual(before);
}, 60_000);

it('users keep their numbers in an image whose packages came in another order, and read what another instance wrote', async () => {
  cpSync(image, join(root, 'opt/ftps-install'), { recursive: true });
  const { code, output } = await inside(`
    mkdir /kept && cp -a /etc/passwd /etc/shadow /etc/group /etc/gshadow /kept/
    trap 'cp -a /kept/* /etc/; rm -rf /kept /srv/ftps/written /opt/ftps-install' EXIT
    setpriv --reuid=ftps --regid=ftps --init-groups bash -c 'umask 027; echo from the first > /srv/ftps/written'
    for user in ftps ftps-firewall ftps-scan; do userdel $user 2> /dev/null; done
    for group in ftps ftps-scan ftps-scan-client ftps-log; do groupdel $group 2> /dev/null; done
    for other in one two three four five six; do useradd --system $other; done
    bash /opt/ftps-install/install.sh /opt/ftps-install || exit 1
    setpriv --reuid=ftps --regid=ftps --init-groups cat /srv/ftps/written
    id -u ftps; id -u ftps-firewall; id -u ftps-scan; getent group ftps-scan-client ftps-log | cut -d: -f3
    userdel ftps-firewall; useradd --system ftps-firewall
    bash /opt/ftps-install/install.sh /opt/ftps-install; echo "exit code $?"`);
  expect(output).toContain('from the first\n401\n402\n403\n404\n405\n');
  expect(output).toMatch(/install.sh: ftps-firewall has the number \d+ here, and files of other instances belong to 402; .*\nexit code 1/);
  expect(code).toBe(0);
}, 60_000);

it('the server starts as its own user, listens on exactly its ports and speaks FTPS in both modes', async () => {
  const { code, output } = await inside('bash /opt/ftps/self-test.sh');
  expect(output).toContain('the server speaks FTPS as it should');
  expect(code).toBe(0);
}, 120_000);

it('the scanner scans for the server and for nobody else, with the settings shipped', async () => {
  const ask = `node -e "
    const s = require('net').connect('/run/ftps-scanner/clamd.sock');
    s.on('error', (e) => { console.log(e.code); process.exit(1); });
    const b = Buffer.from('${eicar}', 'hex'), n = Buffer.alloc(4); n.writeUInt32BE(b.length);
    s.write('zINSTREAM\\0'); s.write(n); s.write(b); s.write(Buffer.alloc(4)); s.pipe(process.stdout);"`;
  const { output } = await inside(`
    install -d -o ftps-scan -g ftps-scan-client -m 0750 /run/ftps-scanner
    setpriv --reuid=ftps-scan --regid=ftps-scan-client --init-groups clamd --config-file=/etc/ftps-scanner/clamd.conf > /tmp/clamd.log 2>&1 &
    for i in $(seq 200); do [ -S /run/ftps-scanner/clamd.sock ] && break; sleep 0.1; done
    as() { setpriv --reuid=$1 --regid=$(id -g $1) --init-groups "\${@:2}"; }
    echo "server: $(as ftps ${ask} | tr -d '\\0')"
    echo "log agent: $(as cwagent ${ask})"
    kill %1; wait`);
  expect(output).toContain('server: stream: Eicar-Test.UNOFFICIAL FOUND');
  expect(output).toContain('log agent: EACCES');
  expect(existsSync(join(root, 'run/ftps-scanner/clamd.sock'))).toBe(false);
}, 60_000);
