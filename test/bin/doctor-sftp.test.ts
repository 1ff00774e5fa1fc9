/** `ftps doctor --sftp` against a real server, and what it thinks of servers that are not there to be tried. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Finding } from '../../bin/doctor/finding';
import type { Offer } from '../../bin/doctor/sftp/offer';
import { agreementFindings, outdatedFindings, sameAnswerFinding, strictFinding } from '../../bin/doctor/sftp/outside';
import { publicKeyBlob } from '../../server/ssh/public-key';
import { HostKey } from '../../server/ssh/transport/host-keys';
import { sshPolicies } from '../../server/ssh/transport/policy';
import { type SftpServed, sftpServed } from '../server/ssh/served';
import { PASSWORD } from '../server/support/server';
import { doctorSaid } from './doctor-said';

const folder = mkdtempSync(join(tmpdir(), 'ftps-doctor-sftp-'));
const file = (name: string, content: string) => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const pems = [
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'sec1', format: 'pem' }) as string,
  generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs1', format: 'pem' }) as string,
];
const hostKeys = pems.map((pem) => HostKey.read(pem));
const user = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const password = file('password', `${PASSWORD}\n`);
const key = file('key', user.privateKey.export({ type: 'sec1', format: 'pem' }) as string);

let server: SftpServed;
beforeAll(async () => {
  const publicKeys = [`ecdsa-sha2-nistp256 ${publicKeyBlob(user.publicKey).toString('base64')} one`];
  server = await sftpServed({ sftp: { hostKeys: [{ kind: 'file', file: file('host-keys', pems.join('')) }] } }, [
    { user: 'demo' },
    { user: 'only', publicKeys, sshLogin: 'key' },
    { user: 'both', publicKeys, sshLogin: 'key-and-password' },
    { user: 'reader', permissions: ['read', 'list'] },
  ]);
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

interface Said {
  readonly findings: Finding[];
  readonly knownHosts: string[];
  readonly code: typeof process.exitCode;
  readonly text: string;
}

async function doctor(...args: string[]): Promise<Said> {
  const { text, code } = await doctorSaid('--sftp', `${server.sftpPort}`, '--json', ...args);
  return { ...JSON.parse(text), text, code };
}

const found = (findings: readonly Finding[], level: Finding['level']) =>
  findings.filter((one) => one.level === level).map(({ check, text }) => `${check}: ${text}`);
/** This Node.js has no ML-KEM, or no build has put it into ssh2: that is said of any server without it. */
const isOfNode = (words: string) => words.startsWith('ssh-post-quantum: ');

describe('this server', () => {
  it('has nothing wrong, and everything was looked at: without an account', async () => {
    const { findings, knownHosts, code } = await doctor(...hostKeys.flatMap(({ fingerprint }) => ['--fingerprint', fingerprint]));
    expect(found(findings, 'problem')).toEqual([]);
    expect(found(findings, 'warning').filter((words) => !isOfNode(words))).toEqual([]);
    expect(code).toBeUndefined();
    for (const { line, type, fingerprint } of hostKeys) {
      expect(knownHosts).toContain(`[localhost]:${server.sftpPort} ${line}`);
      expect(found(findings, 'ok')).toContain(`ssh-host-key: ${type} ${fingerprint}`);
      expect(found(findings, 'ok')).toContain(`ssh-fingerprint: the ${type} key is the one that is expected`);
    }
    expect(found(findings, 'ok')).toContain('ssh-methods: a name that is not there may try publickey, password, keyboard-interactive');
    expect(found(findings, 'ok')).toContain('ssh-agreement: OpenSSH 10 agrees with it on curve25519-sha256, ssh-ed25519, aes128-gcm@openssh.com');
    for (const check of ['dns', 'sftp', 'ssh-strict', 'ssh-outdated'])
      expect(findings.filter(({ level }) => level === 'ok').map((one) => one.check)).toContain(check);
  });

  it.each([
    ['a password', ['--user', 'demo', '--password-file', password]],
    ['a key', ['--user', 'only', '--key-file', key]],
    ['key and password', ['--user', 'both', '--key-file', key, '--password-file', password]],
  ])('has nothing wrong for an account with %s, and keeps nothing of the probe', async (_, args) => {
    const { findings, code } = await doctor(...args);
    expect(found(findings, 'problem')).toEqual([]);
    expect(found(findings, 'warning').filter((words) => !isOfNode(words))).toEqual([]);
    expect(code).toBeUndefined();
    expect(found(findings, 'ok')).toEqual(
      expect.arrayContaining([
        `sftp-login: ${args[1]} is logged in`,
        `ssh-unknown-name: ${args[1]} is offered the same as a name that is not there`,
        expect.stringMatching(/^sftp-list: /),
        expect.stringMatching(/^sftp-round-trip: 65536 bytes came back unchanged/),
        'sftp-clock: the clock of the server agrees with the one here',
        'ssh-command: a command is refused',
        'ssh-shell: a shell is refused',
        'ssh-forwarding: a tunnel out of the server is refused',
        'ssh-forwarding: a tunnel into the server is refused',
      ]),
    );
    expect((readdirSync(server.files, { recursive: true }) as string[]).filter((name) => name.includes('ftps-doctor'))).toEqual([]);
  });

  it('of another key than the expected one is sent no password', async () => {
    const { findings, code } = await doctor('--fingerprint', `SHA256:${'A'.repeat(43)}`, '--user', 'demo', '--password-file', password);
    expect(found(findings, 'problem')).toEqual([
      `ssh-fingerprint: no host key has the fingerprint SHA256:${'A'.repeat(43)}`,
      'sftp-login: no login is tried: no host key can be trusted',
    ]);
    expect(found(findings, 'warning').filter((words) => words.startsWith('ssh-fingerprint'))).toHaveLength(3);
    expect(code).toBe(3);
  });

  it('refuses a wrong password, which is a problem; an account that may not write is a warning', async () => {
    const wrong = await doctor('--user', 'demo', '--password-file', file('wrong', 'wrong\n'));
    expect(found(wrong.findings, 'problem')).toEqual([
      expect.stringMatching(/^sftp-login: no login is possible: the server refuses it, and asks for publickey, /),
    ]);
    expect(wrong.findings.find(({ check }) => check === 'sftp-login')?.advice).toContain('--password-file');
    const reader = await doctor('--user', 'reader', '--password-file', password);
    expect(found(reader.findings, 'problem')).toEqual([]);
    expect(found(reader.findings, 'warning').filter((words) => !isOfNode(words))).toEqual([
      expect.stringMatching(/^sftp-round-trip: a file can't be stored: /),
    ]);
    expect(reader.code).toBeUndefined();
  });

  it('is told in words, with lines to copy', async () => {
    const { text } = await doctorSaid('--sftp', `${server.sftpPort}`);
    expect(text).toContain(`\n[localhost]:${server.sftpPort} ${hostKeys[0]!.line}\n`);
    expect(text).toMatch(/\n0 problems, \d warnings\n$/);
  });
});

it.each([
  [['--fingerprint', 'SHA256:x', '--sftp'], /--fingerprint: "SHA256:x" is none/],
  [['--key-file', 'key'], /--key-file and --fingerprint are for --sftp/],
  [['--sftp', '--key-file', 'key'], /--user and --password-file go together, or --user and --key-file/],
  [['--sftp', 'x'], /--sftp: "x" is not a number/],
  [['--sftp', '--user', 'demo', '--key-file', password], /is no private key without a passphrase/],
])('wrong usage is said: %j', async (args, message) => {
  await expect(doctorSaid(...args)).rejects.toThrow(message);
});

it('what does not speak SSH, or nothing at all, is named', async () => {
  const other = createServer((socket) =>
    socket
      .on('error', () => {})
      .resume()
      .end('220 ready\r\n'),
  );
  await new Promise<void>((resolve) => other.listen(0, 'localhost', resolve));
  const { port } = other.address() as { port: number };
  const problemAt = async () => found(JSON.parse((await doctorSaid('--sftp', `${port}`, '--json')).text).findings, 'problem');
  expect(await problemAt()).toEqual([`sftp: port ${port} is no SFTP: what answers does not speak SSH`]);
  await new Promise((resolve) => other.close(resolve));
  expect(await problemAt()).toEqual([expect.stringMatching(/^sftp: port \d+ is no SFTP: .*ECONNREFUSED/)]);
});

describe('what is offered', () => {
  const { keyExchanges, ...rest } = sshPolicies.modern;
  const ours: Offer = { identification: 'SSH-2.0-x', ...rest, keyExchanges: [...keyExchanges, 'kex-strict-s-v00@openssh.com'], compressions: ['none'] };
  const levels = (findings: readonly Finding[]) => findings.map(({ level, text }) => `${level}: ${text.split(' (')[0]}`);

  it('by the policy is in order, post-quantum too', () => {
    for (const finding of [...agreementFindings(ours), strictFinding(ours), ...outdatedFindings(ours)]) expect(finding.level).toBe('ok');
  });

  it('of old algorithms is named each by each, with the setting that takes it away', () => {
    const findings = outdatedFindings({
      ...ours,
      keyExchanges: ['diffie-hellman-group1-sha1', 'diffie-hellman-group14-sha1', 'curve25519-sha256'],
      hostKeys: ['ssh-rsa', 'ssh-dss', 'rsa-sha2-256'],
      ciphers: ['aes256-ctr', 'aes128-cbc', '3des-cbc', 'arcfour256', 'none'],
      macs: ['hmac-md5', 'hmac-sha1', 'hmac-sha2-256', 'umac-64@openssh.com', 'none'],
      compressions: ['none', 'zlib', 'zlib@openssh.com'],
    });
    expect(findings.map(({ level, text }) => `${level}: ${text}`)).toEqual([
      'problem: key exchanges with SHA-1 are offered (diffie-hellman-group1-sha1, diffie-hellman-group14-sha1)',
      'problem: signatures of the host with SHA-1 are offered (ssh-rsa, ssh-dss)',
      'problem: ciphers of 3DES or DES are offered (3des-cbc)',
      'problem: ciphers of RC4 are offered (arcfour256)',
      'problem: ciphers in CBC mode are offered (aes128-cbc)',
      'problem: connections without encryption are offered (none)',
      'problem: checks of integrity that are weak are offered (hmac-md5, none)',
      'warning: HMAC with SHA-1 is offered (hmac-sha1)',
      'warning: integrity by 64 bits is offered (umac-64@openssh.com)',
      'warning: compression before the login is offered (zlib)',
    ]);
    expect(findings[0]!.advice).toBe('Take them away; sshd: KexAlgorithms -diffie-hellman-group1-sha1,diffie-hellman-group14-sha1.');
    expect(findings.at(-1)!.advice).toBe('Take them away; sshd: Compression delayed.');
  });

  it('without strict key exchange is a problem where Terrapin works, and a warning elsewhere', () => {
    expect(levels([strictFinding({ ...ours, keyExchanges })])[0]).toMatch(/^warning: /);
    expect(levels([strictFinding({ ...ours, keyExchanges, ciphers: ['chacha20-poly1305@openssh.com'] })])[0]).toMatch(/^problem: /);
    expect(levels([strictFinding({ ...ours, keyExchanges, ciphers: ['aes128-cbc'] })])[0]).toMatch(/^problem: /);
  });

  it('with nothing for a client of today is a problem, without a post-quantum key exchange a warning', () => {
    expect(
      levels(agreementFindings({ ...ours, keyExchanges: ['diffie-hellman-group1-sha1'], macs: ['hmac-md5'], ciphers: ['3des-cbc'], hostKeys: ['ssh-rsa'] })),
    ).toEqual(["problem: OpenSSH 10 and the server have no key exchange, no type of host key, no cipher in common, so that partners can't connect"]);
    const [agreement, quantum] = agreementFindings({ ...ours, keyExchanges: ['ecdh-sha2-nistp256'], ciphers: ['aes128-ctr'] });
    expect(agreement!.text).toBe('OpenSSH 10 agrees with it on ecdh-sha2-nistp256, ssh-ed25519, aes128-ctr, hmac-sha2-256-etm@openssh.com');
    expect(quantum).toMatchObject({ level: 'warning', advice: expect.stringContaining('mlkem768x25519-sha256') });
  });

  it('to a name that is there and to one that is not should be the same, in any order', () => {
    expect(sameAnswerFinding('ann', ['publickey', 'password'], ['password', 'publickey']).level).toBe('ok');
    expect(sameAnswerFinding('ann', ['publickey', 'password'], ['publickey']).level).toBe('warning');
  });
});
