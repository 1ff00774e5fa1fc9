/** Certificates, agents and new host keys, with OpenSSH's own programs, against the built server. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashPassword } from '../../../server/identity/password';
import { TestAuthority } from '../../server/support/authority';
import { PASSWORD, type ServedProcess, serveConfigured, USER } from '../support/served';
import { program } from './clients';

let server: ServedProcess;
let folder: string;
const at = (name: string) => join(folder, name);
const text = (name: string) => readFileSync(at(name), 'utf8').trim();
const make = (name: string, type: string) => program('ssh-keygen', ['-q', '-t', type, '-N', '', '-C', name, '-f', at(name)]);
/** Signs `NAME.pub`; the certificate is `NAME-cert.pub`. */
const signed = (name: string, ca: string, ...options: string[]) => program('ssh-keygen', ['-q', '-s', at(ca), '-I', name, ...options, at(`${name}.pub`)]);

/** Replaces a file in one step, as a tool that rotates keys does. */
function replaced(name: string, content: string | Buffer): void {
  writeFileSync(at(`${name}.new`), content);
  renameSync(at(`${name}.new`), at(name));
}

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ftps-ssh-keys-'));
  for (const [name, type] of [
    ['ca', 'ed25519'],
    ['ca_rsa', 'rsa'],
    ['other_ca', 'ecdsa'],
    ['one', 'ed25519'],
    ['two', 'ecdsa'],
    ['three', 'rsa'],
    ['four', 'ed25519'],
    ['old', 'ed25519'],
    ['next', 'ed25519'],
    ['host_rsa', 'rsa'],
  ] as const)
    await make(name, type);
  writeFileSync(at('host_keys'), `${text('old')}\n${text('host_rsa')}\n${text('next')}\n`);
  writeFileSync(at('revoked'), '# none yet\n');
  writeFileSync(at('accounts.json'), JSON.stringify({ accounts: [{ user: USER, home: '/', passwordHash: await hashPassword(PASSWORD) }] }));
  const issued = await (await TestAuthority.create()).issue();
  writeFileSync(at('server.pem'), issued.certificate);
  writeFileSync(at('server.key'), issued.key);
  server = await serveConfigured({
    listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0 }],
    passive: { ports: 'any:4' },
    sftp: {
      host: '127.0.0.1',
      port: 0,
      hostKeys: [{ kind: 'file', file: at('host_keys') }],
      userCertificates: { authorities: [text('ca.pub'), text('ca_rsa.pub')], revocationList: at('revoked') },
    },
    tls: { certificates: [{ kind: 'file', certificate: at('server.pem'), key: at('server.key') }] },
    identity: [{ kind: 'file', file: at('accounts.json') }],
  });
  writeFileSync(at('known_hosts'), `[127.0.0.1]:${server.sftp} ${text('old.pub')}\n`);
});
afterAll(async () => {
  await server?.stop();
  if (folder) rmSync(folder, { recursive: true, force: true });
});

/** Lists the root over SFTP. */
function sftp(options: readonly string[], env = process.env): Promise<string> {
  writeFileSync(at('batch'), 'ls -l /\n');
  const all = ['-F', '/dev/null', '-o', 'StrictHostKeyChecking=yes', '-o', 'PreferredAuthentications=publickey', ...options];
  const known = options.some((one) => one.startsWith('UserKnownHostsFile')) ? [] : ['-o', `UserKnownHostsFile=${at('known_hosts')}`, '-o', 'UpdateHostKeys=no'];
  return program('sftp', ['-b', at('batch'), ...all, ...known, '-P', String(server.sftp), `${USER}@127.0.0.1`], { env });
}
const by = (name: string) => ['-o', 'IdentitiesOnly=yes', '-o', `IdentityFile=${at(name)}`, '-o', `CertificateFile=${at(`${name}-cert.pub`)}`];
const logins = () => server.audit().filter((line) => line.class_uid === 3002 && line.activity_id === 1);
/** What is told of the attempt that was made last: its line may come a moment after the client has its answer. */
const lastLoginIs = async (told: object) => {
  for (let tries = 0; tries < 100; tries += 1) {
    try {
      return expect(logins().at(-1)).toMatchObject(told);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  expect(logins().at(-1)).toMatchObject(told);
};
const until = async (holds: () => boolean) => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 50));
};

test.each([
  ['one', 'ca', ['-z', '7']],
  ['two', 'ca_rsa', ['-t', 'rsa-sha2-256', '-z', '8']],
  ['three', 'ca_rsa', ['-t', 'rsa-sha2-512', '-z', '9', '-O', 'force-command=internal-sftp', '-O', 'source-address=127.0.0.0/8']],
] as const)('a certificate logs in: %s, signed by %s', async (name, ca, options) => {
  await signed(name, ca, '-n', `someone,${USER}`, '-V', '+1h', ...options);
  await sftp(by(name));
  const fingerprint = (await program('ssh-keygen', ['-l', '-f', at(`${ca}.pub`)])).split(' ')[1];
  await lastLoginIs({
    status: 'Success',
    auth_protocol: 'publickey',
    certificate: { subject: name, serial_number: options[options.indexOf('-z' as never) + 1], issuer: fingerprint },
  });
});

test('so does one that an agent has', async () => {
  await signed('four', 'ca', '-n', USER, '-V', '+1h');
  const agent = spawn('ssh-agent', ['-D', '-a', at('agent')], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await once(agent.stdout, 'data');
    const env = { ...process.env, SSH_AUTH_SOCK: at('agent') };
    await program('ssh-add', ['-q', at('four')], { env });
    await sftp([], env);
    await lastLoginIs({ status: 'Success', certificate: { subject: 'four' } });
  } finally {
    agent.kill();
    await once(agent, 'exit');
  }
});

test.each<readonly [string, string, readonly string[], string]>([
  ['out of date', 'ca', ['-n', USER, '-V', '20200101:20200201'], 'certificate-not-valid'],
  ['for another', 'ca', ['-n', 'someone'], 'principal-not-listed'],
  ['for nobody', 'ca', [], 'principal-not-listed'],
  ['from elsewhere', 'ca', ['-n', USER, '-O', 'source-address=192.0.2.0/24'], 'address-not-allowed'],
  ['for a shell', 'ca', ['-n', USER, '-O', 'force-command=/bin/sh'], 'certificate-not-valid'],
  ['with an option of somebody else', 'ca', ['-n', USER, '-O', 'critical:two-eyes@example.com=yes'], 'certificate-not-valid'],
])('one %s does not', async (_, ca, options, reason) => {
  await signed('one', ca, ...options);
  await expect(sftp(by('one'))).rejects.toThrow('Permission denied');
  await lastLoginIs({ status: 'Failure', status_detail: reason });
});

test('nor one of another authority, or signed with SHA-1', async () => {
  await signed('one', 'other_ca', '-n', USER);
  await expect(sftp(by('one'))).rejects.toThrow('Permission denied');
  await signed('one', 'ca_rsa', '-t', 'ssh-rsa', '-n', USER);
  await expect(sftp(by('one'))).rejects.toThrow('Permission denied');
});

test('nor one that a KRL revokes, as soon as the list is there', async () => {
  await signed('one', 'ca', '-n', USER, '-z', '4711');
  await sftp(by('one'));
  writeFileSync(at('spec'), 'serial: 4700-4800\n');
  await program('ssh-keygen', ['-q', '-k', '-f', at('krl'), '-s', at('ca.pub'), at('spec')]);
  replaced('revoked', readFileSync(at('krl')));
  await until(() => server.audit().some(({ message }) => message === 'Configuration reloaded: revoked keys'));
  await expect(sftp(by('one'))).rejects.toThrow('Permission denied');
  await lastLoginIs({ status_detail: 'key-revoked' });
  await sftp(by('two'));
});

test('a new host key is known before it is used: no client warns', async () => {
  const hosts = at('partner_known_hosts');
  copyFileSync(at('known_hosts'), hosts);
  const options = [...by('two'), '-o', `UserKnownHostsFile=${hosts}`, '-o', 'UpdateHostKeys=yes'];
  await sftp(options);
  const known = readFileSync(hosts, 'utf8');
  for (const name of ['old', 'next', 'host_rsa']) expect(known).toContain(text(`${name}.pub`).split(' ')[1]);
  replaced('host_keys', `${text('next')}\n${text('host_rsa')}\n`);
  await until(() => server.audit().some(({ message }) => message === 'Configuration reloaded: host keys'));
  expect(await sftp(options)).not.toMatch(/warning|changed/i);
  // The old one is no longer the server's, and the client forgets it.
  expect(readFileSync(hosts, 'utf8')).not.toContain(text('old.pub').split(' ')[1]);
  await expect(sftp(by('two'))).rejects.toThrow('REMOTE HOST IDENTIFICATION HAS CHANGED');
});
