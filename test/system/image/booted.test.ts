/**
 * An image that boots: install.sh in a system of its own, which starts with its own systemd, and all units as systemd starts them. What an instance
 * would be told by its user data it is told here. The clients are in the machine as well, on another host of its network.
 */
import { generateKeyPairSync } from 'node:crypto';
import { copyFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startScript } from '../../../lib/fleet/start-script';
import { checkServerConfig } from '../../../server/config';
import { hashPassword } from '../../../server/identity/password';
import { HostKey } from '../../../server/ssh/transport/host-keys';
import { TestAuthority } from '../../server/support/authority';
import { run } from '../support/served';
import { type Disk, diskFolder, Machine, makeDisk } from './machine/machine';
import { bringSshClient } from './machine/ssh-client';

const PASSWORD = 'boots & serves';
const EICAR = 'X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*';
const UNITS = [
  'ftps-firewall.service',
  'ftps-scanner.service',
  'ftps.service',
  'ftps-health.timer',
  'ftps-signatures.timer',
  'logrotate.timer',
  'rsyslog.service',
  'auditd.service',
  'amazon-cloudwatch-agent.service',
];

/** What the STIG component leaves behind, as far as it can get in our way (its settings come last in their folder, its audit rules first). */
const AS_HARDENED = `
  printf 'kernel.kptr_restrict = 1\\nkernel.yama.ptrace_scope = 1\\nfs.suid_dumpable = 0\\nnet.ipv4.conf.all.rp_filter = 1\\n' > /etc/sysctl.d/99-sysctl.conf
  printf -- '-D\\n-b 8192\\n-w /etc/passwd -p wa -k identity\\n-w /etc/group -p wa -k identity\\n-w /etc/shadow -p wa -k identity\\n-e 2\\n' > /etc/audit/rules.d/audit.rules
  mkdir -p /etc/systemd/system/rsyslog.service.d
  printf '[Service]\\nUMask=0066\\n' > /etc/systemd/system/rsyslog.service.d/umask.conf # as the distribution's own unit has it
  printf '[Mount]\\nWhat=tmpfs\\nWhere=/tmp\\nType=tmpfs\\nOptions=mode=1777,strictatime,nosuid,nodev,noexec\\n' > /etc/systemd/system/tmp.mount
  mkdir -p /etc/systemd/system/local-fs.target.wants && ln -sf ../tmp.mount /etc/systemd/system/local-fs.target.wants/tmp.mount
  umask 077
`;
/** As the build of an image enables them; and one signature. */
const AS_BUILT = `
  systemctl -q enable ftps-signatures.timer ftps-scanner.service
  echo 'Eicar-Test:0:*:${Buffer.from(EICAR).toString('hex')}' > /var/lib/ftps-scanner/test.ndb
  chown ftps-scan:ftps-scan /var/lib/ftps-scanner/test.ndb
`;
/** Packages of another order brought users of their own first, so that the next free numbers are others. */
const OTHER_ORDER = 'for other in one two three; do useradd --system --user-group --shell /usr/sbin/nologin $other; done';
/** A host beside the machine, with an address of its own. Made anew at each boot. */
const CLIENT_HOST = `
  ip netns add client && ip link add name eth0 type veth peer name eth0 netns client
  ip address add 10.9.0.1/24 dev eth0 && ip link set eth0 up
  ip -n client address add 10.9.0.2/24 dev eth0 && ip -n client link set eth0 up && ip -n client link set lo up
`;

/** The same for each image, so that clients know the server by it. */
const HOST_KEY = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
const { line: HOST_KEY_LINE } = HostKey.read(HOST_KEY);

let folder: string;
let authority: TestAuthority;
let disk: Disk;
let machine: Machine;
let userData: string;

/** curl on the client's host. */
const curl = (args: string) =>
  `ip netns exec client curl -sS --cacert /host/ca.pem --resolve '*:21:10.9.0.1' --resolve '*:990:10.9.0.1' --ssl-reqd --ftp-skip-pasv-ip -K /host/login --max-time 120 ${args}`;
const EXPLICIT = 'ftp://ftps.example.com';
const IMPLICIT = 'ftps://ftps.example.com';
/** OpenSSH's sftp there, with a key and nothing else. Its commands come by its input. */
const SFTP =
  'ip netns exec client /host/ssh/sftp -S /host/ssh/ssh -q -b - -i /host/id_ed25519 -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes -o UserKnownHostsFile=/host/known_hosts partner@10.9.0.1';
/** The API of HTTPS there: a sign-in with the password, and a request with its cookie. */
const https = (args: string) =>
  `ip netns exec client curl -sS --fail-with-body --cacert /host/ca.pem --resolve 'ftps.example.com:443:10.9.0.1' -b /run/jar -c /run/jar --max-time 120 ${args}`;
const FILES = 'https://ftps.example.com/api/v1/files';
const SIGN_IN = https(`-H 'content-type: application/json' --data @/host/sign-in https://ftps.example.com/api/v1/sign-in > /dev/null`);
const healthy = 'for i in $(seq 240); do curl -sf http://127.0.0.1:9990/health && break; sleep 0.5; done; curl -sf http://127.0.0.1:9990/health > /dev/null';
/** Uploads a file of the host and brings it back, in both modes, over SSH and over HTTPS. */
const transfers = (name: string) => `head -c 300000 /dev/urandom > /run/sent
  for url in ${EXPLICIT} ${IMPLICIT}; do
    ${curl(`-T /run/sent $url/${name}`)} && ${curl(`$url/${name} -o /run/back`)} && cmp /run/sent /run/back || exit 1
  done
  printf 'put /run/sent ${name}\\nget ${name} /run/back.ssh\\n' | ${SFTP} > /dev/null && cmp /run/sent /run/back.ssh &&
  ${SIGN_IN} && ${https(`-T /run/sent ${FILES}/${name}`)} && ${https(`${FILES}/${name} -o /run/back.https`)} && cmp /run/sent /run/back.https`;

async function settingsOnDisk(): Promise<string> {
  const { certificate, key } = await authority.issue({ names: ['ftps.example.com'] });
  const accounts = JSON.stringify({
    accounts: [{ user: 'partner', passwordHash: await hashPassword(PASSWORD), publicKeys: [readFileSync(join(folder, 'id_ed25519.pub'), 'utf8').trim()] }],
  });
  const file = (path: string, text: string) => `cat > ${path} <<'END'\n${text}\nEND\nchown root:ftps ${path} && chmod 640 ${path}`;
  return [
    file('/etc/ftps/server.pem', certificate),
    file('/etc/ftps/server.key', key),
    file('/etc/ftps/ssh_host_ed25519_key', HOST_KEY),
    file('/etc/ftps/accounts.json', accounts),
  ].join('\n');
}

function instanceUserData(mountCommands: readonly string[]): string {
  const settings = checkServerConfig({
    listeners: [
      { mode: 'explicit', port: 21 },
      { mode: 'implicit', port: 990 },
    ],
    sftp: { port: 22, hostKeys: [{ kind: 'file', file: '/etc/ftps/ssh_host_ed25519_key' }] },
    https: { port: 443 },
    workers: 2,
    passive: { ports: '50000-50015' },
    firewall: { mode: 'nftables' },
    tls: { certificates: [{ kind: 'file', certificate: '/etc/ftps/server.pem', key: '/etc/ftps/server.key' }] },
    storage: { kind: 'local', root: '/srv/ftps' },
    antivirus: { kind: 'clamd', socket: '/run/ftps-scanner/clamd.sock', whenUnavailable: 'refuse' },
    identity: [{ kind: 'file', file: '/etc/ftps/accounts.json' }],
    audit: { destination: '/var/log/ftps/audit.json' },
    admin: { port: 9990 },
    limits: { drainSeconds: 60 },
  });
  return startScript({
    region: 'eu-central-1',
    settings: JSON.stringify(settings),
    settingsCommands: [],
    mountCommands: [...mountCommands, 'install -d -o ftps -g ftps -m 0750 /srv/ftps'],
    endpointCommands: [],
    groupName: 'ftps-test-Fleet',
    launchHook: 'ftps-launch',
    agentSettings: '{}',
    adminPort: 9990,
    passivePorts: '50000-50015',
  }).render();
}

/** Boots and waits until the group has been told that the instance serves. */
async function bootInstance(one: Disk, { first, second }: { first: boolean; second?: Disk }): Promise<Machine> {
  const booted = await Machine.boot(one, { second });
  try {
    await startInstance(booted, first);
  } catch (error) {
    await booted.cutPower();
    throw error;
  }
  return booted;
}

async function startInstance(booted: Machine, first: boolean): Promise<void> {
  writeFileSync(join(booted.share, 'ca.pem'), authority.pem);
  writeFileSync(join(booted.share, 'login'), `user = "partner:${PASSWORD}"\n`);
  writeFileSync(join(booted.share, 'sign-in'), JSON.stringify({ user: 'partner', password: PASSWORD }));
  writeFileSync(join(booted.share, 'user-data'), userData);
  writeFileSync(join(booted.share, 'known_hosts'), `10.9.0.1 ${HOST_KEY_LINE}\n`);
  copyFileSync(join(folder, 'id_ed25519'), join(booted.share, 'id_ed25519'));
  await bringSshClient(booted.share);
  await booted.expect(CLIENT_HOST);
  if (first) await booted.expect('bash /host/user-data');
  const told = await booted.run(
    'for i in $(seq 600); do grep -s "lifecycle-action-result" /var/log/aws-calls && break; systemctl is-failed -q instance-start.service && break; sleep 0.5; done; journalctl --no-pager -u instance-start -u ftps -u ftps-firewall -u edge | tail -40',
  );
  if (!told.output.includes('CONTINUE')) throw new Error(`the instance does not serve:\n${told.output}`);
  await booted.expect('rm /var/log/aws-calls');
}

beforeAll(async () => {
  folder = diskFolder();
  authority = await TestAuthority.create();
  expect(await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(folder, 'id_ed25519')])).toMatchObject({ code: 0 });
  userData = instanceUserData([]);
  disk = await makeDisk(folder, 'one', { before: AS_HARDENED, after: `${AS_BUILT}\n${await settingsOnDisk()}` });
  machine = await bootInstance(disk, { first: true });
}, 600_000);
afterAll(async () => {
  await machine?.cutPower();
  rmSync(folder, { recursive: true, force: true });
});

it('everything of the image runs, started by systemd with what its units allow', async () => {
  const { output } = await machine.run(`systemctl is-active ${UNITS.join(' ')}`);
  expect(
    output
      .trim()
      .split('\n')
      .map((state, index) => `${UNITS[index]} ${state}`),
  ).toEqual(UNITS.map((unit) => `${unit} active`));
  expect(await machine.expect('curl -s http://127.0.0.1:9990/health')).toContain('"status":"ok"');
  expect((await machine.run('systemctl --failed --no-legend --plain')).output).toBe('');
});

it('every check of the image passes on the machine that booted', async () => {
  const { code, output } = await machine.run('bash /opt/ftps/check.sh');
  expect(output.split('\n').filter((line) => line.startsWith('not ok'))).toEqual([]);
  expect(code).toBe(0);
}, 120_000);

/** Who listens there, and what that process may do. */
async function listenersOn(port: number): Promise<string[]> {
  const { output } = await machine.run(`ss -Htlnp 'sport = :${port}' | grep -o 'pid=[0-9]*' | sort -u | cut -d= -f2 | while read -r pid; do
    cat /proc/$pid/cgroup
    grep -E '^(Uid|CapEff|NoNewPrivs|Seccomp):' /proc/$pid/status | tr '\\t' ' '
  done`);
  return [...new Set(output.trim().split('\n'))];
}
/** Ports below 1024, and nothing else that root could do. */
const OF_THE_UNIT = ['0::/system.slice/ftps.service', 'Uid: 401 401 401 401', 'CapEff: 0000000000000400', 'NoNewPrivs: 1', 'Seccomp: 2'];

it('SFTP answers on port 22 by the host key of the settings, from within what the unit allows, and nothing else listens there', async () => {
  expect(await machine.expect('ip netns exec client /host/ssh/ssh-keyscan -t ed25519 10.9.0.1 2> /dev/null')).toBe(`10.9.0.1 ${HOST_KEY_LINE}\n`);
  expect(await listenersOn(22)).toEqual(OF_THE_UNIT);
  await machine.expect(
    `head -c 300000 /dev/urandom > /run/sent; printf 'put /run/sent by-ssh.bin\\n' | ${SFTP} && ${curl(`${EXPLICIT}/by-ssh.bin`)} | cmp - /run/sent`,
  );
  expect(await machine.expect('grep -h by-ssh.bin /var/log/ftps/audit.json')).toMatch(/"protocol":"ssh"/);
}, 120_000);

it('HTTPS answers on port 443 by the certificate of the settings, from within what the unit allows: the page, and the API to who has signed in', async () => {
  expect(await listenersOn(443)).toEqual(OF_THE_UNIT);
  expect(await machine.expect(https('-D - -o /run/page https://ftps.example.com/ && grep -c script /run/page'))).toMatch(
    /^HTTP\/1\.1 200 OK[\s\S]*strict-transport-security/,
  );
  const refused = await machine.run(https(`-o /dev/null -w '%{http_code}' -T /host/ca.pem ${FILES}/nobody.pem`));
  expect(refused.output).toContain('401');
  await machine.expect(
    `head -c 300000 /dev/urandom > /run/sent; ${SIGN_IN} && ${https(`-T /run/sent ${FILES}/by-https.bin`)} && ${curl(`${EXPLICIT}/by-https.bin`)} | cmp - /run/sent`,
  );
  expect(await machine.expect('grep -h by-https.bin /var/log/ftps/audit.json')).toMatch(/"protocol":"https"/);
}, 120_000);

it('passive ports are closed to a client that was told none, and files go both ways in both modes, over SSH and over HTTPS', async () => {
  const closed = await machine.run(
    'for port in 50000 50007 50015; do ip netns exec client timeout 1 bash -c "exec 3<> /dev/tcp/10.9.0.1/$port" 2> /dev/null; echo $?; done; nft list chain inet ftps passive | grep -o "packets [0-9]*"',
  );
  expect(closed.output.trim().split('\n')).toEqual(['124', '124', '124', expect.stringMatching(/^packets [1-9]/)]); // no answer, not a refusal
  await machine.expect(transfers('report.bin'));
}, 180_000);

it('an upload is scanned by the scanner of the unit, and the test file for scanners is refused', async () => {
  writeFileSync(join(machine.share, 'eicar'), EICAR);
  const refused = await machine.run(curl(`-T /host/eicar ${EXPLICIT}/invoice.exe`));
  expect(refused.output).toMatch(/got 550/);
  expect(refused.code).not.toBe(0);
  const transfersOf = await machine.expect('grep -h invoice.exe /var/log/ftps/audit.json');
  expect(transfersOf).toContain('Eicar-Test');
  expect((await machine.run('ls /srv/ftps/partner/invoice.exe /srv/ftps/invoice.exe')).code).not.toBe(0);
}, 120_000);

it('the audit is rotated, goes on in the new file, and the log agent reads both', async () => {
  // As the server itself names it, only sooner; what the system rotates leaves it alone.
  await machine.expect('logrotate --force /etc/logrotate.conf && test ! -e /var/log/ftps/audit.json.1');
  await machine.expect('cd /var/log/ftps && mv audit.json audit-20260101T000000.000Z.json && systemctl reload ftps.service');
  await machine.expect('for i in $(seq 60); do test -e /var/log/ftps/audit.json && break; sleep 0.5; done; ls /var/log/ftps');
  await machine.expect(transfers('after-rotation.bin'));
  expect(await machine.expect('stat -c "%U:%G %a" /var/log/ftps/audit.json')).toBe('ftps:ftps-log 640\n');
  expect(await machine.expect('grep -c after-rotation.bin /var/log/ftps/audit.json')).toMatch(/^[1-9]/);
  await machine.expect(
    'for i in $(seq 60); do grep -q after-rotation.bin /var/lib/cwagent/forwarded && break; sleep 0.5; done; grep -q after-rotation.bin /var/lib/cwagent/forwarded',
  );
  await machine.expect(
    'logger said-to-the-system; for i in $(seq 60); do grep -q said-to-the-system /var/lib/cwagent/forwarded && exit 0; sleep 0.5; done; ls -l /var/log/messages; exit 1',
  );
}, 180_000);

it.each([
  ['the server', 'ftps.service', 'systemctl show -p MainPID --value ftps.service'],
  ['a worker', 'ftps.service', 'pgrep -P $(systemctl show -p MainPID --value ftps.service) | head -1'],
  ['the firewall', 'ftps-firewall.service', 'systemctl show -p MainPID --value ftps-firewall.service'],
  ['the scanner', 'ftps-scanner.service', 'systemctl show -p MainPID --value ftps-scanner.service'],
])(
  '%s that is killed comes back, and partners are served',
  async (_, unit, pid) => {
    await machine.expect(
      `pid=$(${pid}); kill -9 $pid; while [ -e /proc/$pid ]; do sleep 0.1; done; until systemctl is-active --quiet ${unit}; do sleep 0.2; done; ${healthy}`,
    );
    await machine.expect(transfers('after-kill.bin'));
  },
  240_000,
);

it('on a full disk nothing is taken and nothing is lost, and it goes on by itself when there is room again', async () => {
  const before = await machine.expect('sha256sum /srv/ftps/report.bin /srv/ftps/partner/report.bin 2> /dev/null || true');
  await machine.expect(
    'fallocate -l $(($(df --output=avail -B1 / | tail -1))) /filler || true; dd if=/dev/zero of=/filler2 bs=64k 2> /dev/null; df --output=avail / | tail -1',
  );
  const refused = await machine.run(`head -c 3000000 /dev/zero > /run/big; ${curl(`-T /run/big ${EXPLICIT}/too-much.bin`)}`);
  expect(refused.code).not.toBe(0);
  await machine.expect(`rm /filler /filler2; ${healthy}`);
  expect(await machine.expect('sha256sum /srv/ftps/report.bin /srv/ftps/partner/report.bin 2> /dev/null || true')).toBe(before);
  await machine.expect(transfers('after-full.bin'));
}, 300_000);

it('systemctl stop lets a transfer finish, takes no new session, and the server stays down', async () => {
  await machine.expect(`head -c 20000000 /dev/urandom > /run/long; ${curl(`-T /run/long ${EXPLICIT}/long.bin`)}
    (${curl(`--limit-rate 4M ${EXPLICIT}/long.bin -o /run/long.back`)}; echo $? > /run/long.code) > /dev/null 2>&1 &
    until [ -s /run/long.back ]; do sleep 0.1; done
    systemctl stop ftps.service
    for i in $(seq 100); do [ -s /run/long.code ] && break; sleep 0.1; done
    [ "$(cat /run/long.code)" = 0 ] && cmp /run/long /run/long.back`);
  expect((await machine.run('sleep 3; systemctl is-active ftps.service')).output).toBe('inactive\n');
  await machine.expect(`systemctl start ftps.service; ${healthy}`);
}, 240_000);

it('after a reboot all of it serves again, and after a cut of power as well', async () => {
  await machine.shutDown();
  machine = await bootInstance(disk, { first: false });
  await machine.expect(transfers('after-reboot.bin'));
  await machine.expect('sync');
  await machine.cutPower();
  machine = await bootInstance(disk, { first: false });
  expect((await machine.run(`systemctl is-active ${UNITS.join(' ')}`)).output).toBe('active\n'.repeat(UNITS.length));
  await machine.expect(transfers('after-power-cut.bin'));
}, 600_000);

it('an image of another package order, started on the files of the first, has the same numbers and serves what the first one took', async () => {
  const numbers = 'getent passwd ftps ftps-firewall ftps-scan | cut -d: -f1,3,4; getent group ftps ftps-scan ftps-scan-client ftps-log | cut -d: -f1,3';
  const ofFirst = await machine.expect(numbers);
  const agentOfFirst = await machine.expect('id -u cwagent');
  await machine.expect(transfers('from-the-first.bin'));
  const sent = await machine.expect('sha256sum < /run/sent');
  const after = `${AS_BUILT}\n${await settingsOnDisk()}`;
  const [other] = await Promise.all([makeDisk(folder, 'two', { before: `${OTHER_ORDER}\n${AS_HARDENED}`, after }), machine.shutDown()]);

  userData = instanceUserData(['mkdir /first', 'mount /dev/ubdb /first', 'mount --bind /first/srv/ftps /srv/ftps']);
  machine = await bootInstance(other, { first: true, second: disk });
  expect(await machine.expect('id -u cwagent')).not.toBe(agentOfFirst); // the order is another one
  expect(await machine.expect(numbers)).toBe(ofFirst);
  for (const url of [EXPLICIT, IMPLICIT]) expect(await machine.expect(`${curl(`${url}/from-the-first.bin`)} | sha256sum`)).toBe(sent);
  await machine.expect(transfers('from-the-first.bin')); // and may write over it
}, 300_000);
