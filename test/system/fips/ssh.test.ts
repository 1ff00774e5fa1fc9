/** SFTP under OpenSSL's real FIPS provider, with OpenSSH's client. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HostKey } from '../../../server/ssh/transport/host-keys';
import { CertificateFolder } from '../../server/support/certificates';
import { run, type ServedProcess, serveConfigured } from '../support/served';

const provider = join(process.env.CDK_FTPS_CACHE ?? '', 'fips');
const fips = { ...process.env, OPENSSL_CONF: join(provider, 'openssl.cnf'), OPENSSL_MODULES: provider };

let place: CertificateFolder;
let server: ServedProcess;
const bytes = randomBytes(3_000_000);

const hostKeys = {
  ec: generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  rsa: generateKeyPairSync('rsa', { modulusLength: 3072 }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  ed25519: generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
};
const userKeys = ['ecdsa', 'rsa', 'ed25519'] as const;

const serve = async (keys: readonly (keyof typeof hostKeys)[]) =>
  serveConfigured(
    {
      listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0 }],
      passive: { ports: 'any:4' },
      sftp: { host: '127.0.0.1', port: 0, tries: 20, hostKeys: keys.map((name) => ({ kind: 'file', file: place.path(`host-${name}`) })) },
      tls: { policy: 'fips', certificates: [await place.put('ec', await place.authority.issue())] },
      identity: [{ kind: 'file', file: place.path('accounts.json') }],
      limits: { connectionsPerMinutePerAddress: 1_000 },
    },
    fips,
  );

beforeAll(async () => {
  place = await CertificateFolder.create();
  for (const [name, pem] of Object.entries(hostKeys)) await place.write(`host-${name}`, pem);
  for (const type of userKeys) expect((await run('ssh-keygen', ['-q', '-t', type, '-N', '', '-f', place.path(`user-${type}`)])).code).toBe(0);
  const publicKeys = userKeys.map((type) => readFileSync(place.path(`user-${type}.pub`), 'utf8').trim());
  await place.write('accounts.json', JSON.stringify({ accounts: [{ user: 'partner', home: '/', publicKeys, sshLogin: 'key' }] }));
  await place.write('up', '');
  writeFileSync(place.path('up'), bytes);
  server = await serve(['ec', 'rsa']);
  const lines = Object.values(hostKeys).map((pem) => `[127.0.0.1]:${server.sftp} ${HostKey.read(pem).line}\n`);
  await place.write('known', lines.join(''));
});
afterAll(async () => {
  expect(await server.stop()).toBe(0);
  await place.remove();
});

async function sftp(options: readonly string[], key: (typeof userKeys)[number] = 'ecdsa') {
  const batch = await place.write('batch', `put ${place.path('up')} /file\nget /file ${place.path('down')}\n`);
  await place.write('down', '');
  const fixed = [
    `UserKnownHostsFile=${place.path('known')}`,
    'StrictHostKeyChecking=yes',
    'IdentitiesOnly=yes',
    `IdentityFile=${place.path(`user-${key}`)}`,
    'LogLevel=DEBUG1',
  ];
  const all = [...fixed, ...options].flatMap((option) => ['-o', option]);
  const ran = await run('sftp', ['-F', '/dev/null', '-b', batch, ...all, '-P', String(server.sftp), 'partner@127.0.0.1']);
  return { ...ran, isWhole: readFileSync(place.path('down')).equals(bytes) };
}

it('OpenSSH as it is agrees on what is approved, and its file comes and goes', async () => {
  const { code, output, isWhole } = await sftp([]);
  expect([code, isWhole]).toEqual([0, true]);
  expect(output).toMatch(/kex: algorithm: ecdh-sha2-nistp256/);
  expect(output).toMatch(/kex: server->client cipher: aes\d+-(gcm@openssh\.com|ctr)/);
  const [line] = server.audit().filter(({ unmapped }) => unmapped?.event === 'ssh-established');
  expect(JSON.stringify(line)).toContain('ecdh-sha2-nistp256');
});

it.each([
  ...['ecdh-sha2-nistp256', 'ecdh-sha2-nistp384', 'ecdh-sha2-nistp521', 'diffie-hellman-group16-sha512', 'diffie-hellman-group14-sha256'].map(
    (name) => `KexAlgorithms=${name}`,
  ),
  ...['aes256-gcm@openssh.com', 'aes128-gcm@openssh.com', 'aes256-ctr', 'aes192-ctr', 'aes128-ctr'].map((name) => `Ciphers=${name}`),
  ...['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'].map((name) => `MACs=${name}`),
  ...['ecdsa-sha2-nistp384', 'rsa-sha2-512', 'rsa-sha2-256'].map((name) => `HostKeyAlgorithms=${name}`),
])('with %s', async (option) => {
  const { code, isWhole } = await sftp(option.startsWith('MACs') ? [option, 'Ciphers=aes128-ctr'] : [option]);
  expect([code, isWhole]).toEqual([0, true]);
});

it.each([
  ['KexAlgorithms=curve25519-sha256', 'no matching key exchange method'],
  ['KexAlgorithms=sntrup761x25519-sha512@openssh.com', 'no matching key exchange method'],
  ['Ciphers=chacha20-poly1305@openssh.com', 'no matching cipher'],
  ['HostKeyAlgorithms=ssh-ed25519', 'no matching host key type'],
  ['HostKeyAlgorithms=ssh-rsa', 'no matching host key type'],
])('%s is refused', async (option, words) => {
  const { code, output, isWhole } = await sftp([option]);
  expect([code, isWhole]).toEqual([255, false]);
  expect(output).toContain(words);
});

it('a user’s key of RSA logs in, one of Ed25519 does not', async () => {
  expect(await sftp([], 'rsa')).toMatchObject({ code: 0, isWhole: true });
  const { code, output } = await sftp([], 'ed25519');
  expect(code).toBe(255);
  expect(output).toContain('Permission denied');
});

it('a host key that can not be used is told at the start', async () => {
  await expect(serve(['ed25519'])).rejects.toThrow(/hostKeys.*fips|fips.*Ed25519/s);
});
