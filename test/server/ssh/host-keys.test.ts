import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, type ParsedKey } from 'ssh2';
import { HostKey } from '../../../server/ssh/transport/host-keys';
import { PASSWORD } from '../support/server';
import { type SftpServed, sftpServed } from './served';

const pem = (kind: 'ed25519' | 'ec' | 'rsa') =>
  (kind === 'rsa'
    ? generateKeyPairSync('rsa', { modulusLength: 2048 })
    : kind === 'ec'
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
      : generateKeyPairSync('ed25519')
  ).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
const [old, next, rsa, ecdsa] = [pem('ed25519'), pem('ed25519'), pem('rsa'), pem('ec')];
const lineOf = (text: string) => HostKey.read(text).line;

let folder: string;
let file: string;
let server: SftpServed;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ftps-host-keys-'));
  file = join(folder, 'host_keys');
  writeFileSync(file, `${old}${rsa}${ecdsa}${next}`);
  server = await sftpServed({ sftp: { hostKeys: [{ kind: 'file', file }] } });
});
afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Connects; answers the key that the server proved itself with, and those that it says it has and proves afterwards. */
async function learned() {
  let used = '';
  const client = new Client();
  const told = once(client, 'hostkeys') as Promise<[ParsedKey[]]>;
  client.connect({
    host: '127.0.0.1',
    port: server.sftpPort,
    username: 'demo',
    password: PASSWORD,
    strictVendor: false,
    algorithms: { serverHostKey: ['ssh-ed25519'] },
    hostVerifier: (key: Buffer) => {
      used = key.toString('base64');
      return true;
    },
  });
  const [keys] = await told;
  client.end();
  return { used: `ssh-ed25519 ${used}`, keys: keys.map((key) => `${key.type} ${key.getPublicSSH().toString('base64')}`) };
}

it('the first of a type is used, and clients learn of all of them, with proof', async () => {
  const { used, keys } = await learned();
  expect(used).toBe(lineOf(old));
  expect(keys.sort()).toEqual([old, rsa, ecdsa, next].map(lineOf).sort());
});

it('they are replaced without a restart, and bad ones are refused', async () => {
  writeFileSync(file, 'nonsense');
  expect(await server.server.reload()).toBe(false);
  expect((await server.audit.next('configuration', ({ change, what }) => change === 'refused' && what === 'host keys')).detail).toContain(
    'sftp.hostKeys[0]: is no private key without a passphrase',
  );
  expect((await learned()).used).toBe(lineOf(old));
  writeFileSync(file, `${next}${old}`);
  await server.audit.next('configuration', ({ change, what }) => change === 'reloaded' && what === 'host keys');
  const { used, keys } = await learned();
  expect(used).toBe(lineOf(next));
  expect(keys.sort()).toEqual([next, old].map(lineOf).sort());
});
