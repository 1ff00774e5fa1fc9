/** `ftps doctor --sftp` of the built command: against this server, OpenSSH's sshd as it comes, one that is set up for files alone, and one of former times. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Finding } from '../../../bin/doctor/finding';
import { freePort } from '../../server/support/free-port';
import { sshServed } from '../ssh/served';
import { BUNDLE, PASSWORD, run, USER } from '../support/served';

const folder = mkdtempSync(join(tmpdir(), 'ftps-doctor-sftp-'));
const files = join(folder, 'files');
const started: ChildProcess[] = [];
const key = join(folder, 'id');
const hostKey = (type: string) => join(folder, `host_${type}`);

beforeAll(async () => {
  mkdirSync(files);
  // Where sshd puts its unprivileged part; packages make it when the service is started.
  mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
  for (const [type, file] of [
    ['ed25519', key],
    ['ed25519', hostKey('ed25519')],
    ['rsa', hostKey('rsa')],
    ['ecdsa', hostKey('ecdsa')],
  ] as const)
    expect((await run('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', file])).code).toBe(0);
});
afterAll(async () => {
  for (const daemon of started) {
    if (daemon.exitCode !== null) continue;
    const exited = once(daemon, 'exit');
    daemon.kill('SIGTERM');
    await exited;
  }
  rmSync(folder, { recursive: true, force: true });
});

const isOpen = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.on('connect', () => resolve(Boolean(socket.destroy()))).on('error', () => resolve(false));
  });

/** sshd on loopback, for whoever runs the tests, by a key; its port. */
async function sshd(name: string, ...lines: string[]): Promise<number> {
  const port = await freePort();
  const config = join(folder, `${name}.conf`);
  const common = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `PidFile ${join(folder, `${name}.pid`)}`,
    `AuthorizedKeysFile ${key}.pub`,
    'StrictModes no',
    'UsePAM no',
    `Subsystem sftp internal-sftp -d ${files}`,
    ...['ed25519', 'rsa', 'ecdsa'].map((type) => `HostKey ${hostKey(type)}`),
  ];
  writeFileSync(config, `${[...lines, ...common].join('\n')}\n`);
  const daemon = spawn('/usr/sbin/sshd', ['-D', '-f', config, '-E', join(folder, `${name}.log`)], { stdio: 'inherit' });
  started.push(daemon);
  while (!(await isOpen(port))) if (daemon.exitCode !== null) throw new Error(readFileSync(join(folder, `${name}.log`), 'utf8'));
  return port;
}

interface Said {
  readonly code: number;
  readonly problems: string[];
  readonly warnings: string[];
  readonly fine: string[];
  readonly findings: Finding[];
  readonly knownHosts: string[];
}

async function doctor(port: number, ...args: string[]): Promise<Said> {
  const { code, output } = await run(process.execPath, [BUNDLE, 'doctor', '127.0.0.1', '--sftp', `${port}`, '--json', '--timeout', '20', ...args]);
  if (!output.startsWith('{')) throw new Error(output);
  const { findings, knownHosts } = JSON.parse(output) as { findings: Finding[]; knownHosts: string[] };
  const of = (level: Finding['level']) => findings.filter((one) => one.level === level).map(({ check, text }) => `${check}: ${text}`);
  for (const finding of findings) if (finding.level === 'problem') expect(finding.advice).toBeTruthy();
  return { code, findings, knownHosts, problems: of('problem'), warnings: of('warning'), fine: of('ok') };
}

const asUser = () => ['--user', userInfo().username, '--key-file', key];
const left = () => readdirSync(files);
const notQuantum = (words: string) => !words.startsWith('ssh-post-quantum: ');

it('of this server finds nothing, and OpenSSH’s client takes the lines for known_hosts', async () => {
  const served = await sshServed();
  try {
    const password = join(folder, 'password');
    writeFileSync(password, `${PASSWORD}\n`);
    const { code, problems, warnings, fine, knownHosts } = await doctor(served.place.port, '--user', USER, '--password-file', password);
    expect(problems).toEqual([]);
    expect(warnings.filter(notQuantum)).toEqual([]);
    expect(code).toBe(0);
    expect(fine).toEqual(expect.arrayContaining([expect.stringMatching(/^sftp-round-trip: /), 'ssh-shell: a shell is refused']));
    const known = join(folder, 'known_hosts');
    writeFileSync(known, `${knownHosts.join('\n')}\n`);
    const options = ['-F', 'none', '-b', '/dev/null', '-i', served.place.key, '-o', `UserKnownHostsFile=${known}`, '-o', 'StrictHostKeyChecking=yes'];
    expect(await run('sftp', [...options, '-P', `${served.place.port}`, `${USER}@127.0.0.1`])).toMatchObject({ code: 0 });
  } finally {
    await served.stop();
  }
});

it('comes to an end, whoever does not answer its goodbyes', async () => {
  const port = await sshd('silent');
  const sockets: Socket[] = [];
  const between = createServer({ allowHalfOpen: true }, (left) => {
    const right = connect({ host: '127.0.0.1', port, allowHalfOpen: true });
    sockets.push(left, right);
    left.on('error', () => {}).on('data', (bytes) => right.write(bytes));
    right.on('error', () => {}).on('data', (bytes) => left.write(bytes));
  });
  await new Promise<void>((resolve) => between.listen(0, '127.0.0.1', resolve));
  const { fine } = await doctor((between.address() as { port: number }).port, ...asUser());
  expect(fine).toContainEqual(expect.stringMatching(/^sftp-round-trip: /));
  for (const socket of sockets) socket.destroy();
  between.close();
});

describe('of OpenSSH’s sshd', () => {
  it('as it comes finds a shell, commands and tunnels, and the weaker MACs; the rest is in order', async () => {
    const port = await sshd('plain');
    const { code, problems, warnings, fine } = await doctor(port, ...asUser());
    expect(problems).toEqual([
      'ssh-command: a command runs',
      'ssh-shell: a shell runs',
      'ssh-forwarding: a tunnel out of the server is allowed',
      'ssh-forwarding: a tunnel into the server is allowed',
    ]);
    expect(warnings).toEqual([
      expect.stringMatching(/^ssh-outdated: HMAC with SHA-1 is offered \(hmac-sha1-etm@openssh.com, hmac-sha1\)$/),
      expect.stringMatching(/^ssh-outdated: integrity by 64 bits is offered \(umac-64-etm@openssh.com, umac-64@openssh.com\)$/),
    ]);
    const fingerprints = await Promise.all(
      ['ed25519', 'rsa', 'ecdsa'].map(async (type) => (await run('ssh-keygen', ['-l', '-f', hostKey(type)])).output.split(' ')[1]!),
    );
    for (const fingerprint of fingerprints)
      expect(fine).toContainEqual(expect.stringMatching(new RegExp(`^ssh-host-key: \\S+ ${fingerprint.replaceAll('+', '\\+')}$`)));
    expect(fine).toEqual(
      expect.arrayContaining([
        'ssh-post-quantum: what is recorded today stays unread by quantum computers',
        'ssh-strict: strict key exchange is offered, which ends Terrapin (CVE-2023-48795)',
        expect.stringMatching(/^ssh-unknown-name: \S+ is offered the same/),
        expect.stringMatching(/^sftp-round-trip: 65536 bytes came back unchanged/),
      ]),
    );
    expect(code).toBe(3);
    expect(left()).toEqual([]);
  });

  it('set up for files alone has nothing that is a problem', async () => {
    const port = await sshd('files', `ForceCommand internal-sftp -d ${files}`, 'DisableForwarding yes', 'MACs hmac-sha2-256-etm@openssh.com,hmac-sha2-256');
    const { code, problems, warnings, fine } = await doctor(port, ...asUser());
    expect([...problems, ...warnings]).toEqual([]);
    expect(fine).toEqual(
      expect.arrayContaining([
        'ssh-command: a command does not run, though the server says yes',
        'ssh-shell: a shell does not run, though the server says yes',
      ]),
    );
    expect(code).toBe(0);
    expect(left()).toEqual([]);
  });

  it('of former times is told what to take away, and is sent nothing by what is not safe', async () => {
    const port = await sshd(
      'old',
      'KexAlgorithms diffie-hellman-group1-sha1,diffie-hellman-group14-sha1',
      'Ciphers aes128-cbc,3des-cbc',
      'MACs hmac-md5,hmac-sha1',
      'HostKeyAlgorithms ssh-rsa',
    );
    const { code, problems, knownHosts } = await doctor(port, ...asUser());
    expect(problems.map((words) => words.replace(/ \(.*/, ''))).toEqual([
      "ssh-agreement: OpenSSH 10 and the server have no key exchange, no type of host key, no cipher in common, so that partners can't connect",
      'ssh-outdated: key exchanges with SHA-1 are offered',
      'ssh-outdated: signatures of the host with SHA-1 are offered',
      'ssh-outdated: ciphers of 3DES or DES are offered',
      'ssh-outdated: ciphers in CBC mode are offered',
      'ssh-outdated: checks of integrity that are weak are offered',
      'sftp-login: no login is possible: of the key exchanges that the server offers none can be used here',
    ]);
    expect(knownHosts).toEqual([expect.stringMatching(new RegExp(`^\\[127\\.0\\.0\\.1\\]:${port} ssh-rsa `))]);
    expect(code).toBe(3);
  });
});
