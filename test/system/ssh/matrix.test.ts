/** What partners do, done by the clients they have, against the built server. */
import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashPassword } from '../../../server/identity/password';
import { HostKey } from '../../../server/ssh/transport/host-keys';
import { TestAuthority } from '../../server/support/authority';
import { PASSWORD, type ServedProcess, serveConfigured, USER } from '../support/served';
import { clients, openSsh, type Place, program } from './clients';

let server: ServedProcess;
let place: Place;
let home: string;

beforeAll(async () => {
  const folder = mkdtempSync(join(tmpdir(), 'ftps-ssh-clients-'));
  const hostPem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  writeFileSync(join(folder, 'host.pem'), hostPem);
  const key = join(folder, 'id_ed25519');
  await program('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const accounts = [{ user: USER, home: '/', passwordHash: await hashPassword(PASSWORD), publicKeys: [readFileSync(`${key}.pub`, 'utf8').trim()] }];
  writeFileSync(join(folder, 'accounts.json'), JSON.stringify({ accounts }));
  const authority = await TestAuthority.create();
  const issued = await authority.issue();
  writeFileSync(join(folder, 'server.pem'), issued.certificate);
  writeFileSync(join(folder, 'server.key'), issued.key);
  server = await serveConfigured({
    listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0 }],
    passive: { ports: 'any:4' },
    sftp: { host: '127.0.0.1', port: 0, hostKeys: [{ kind: 'file', file: join(folder, 'host.pem') }] },
    tls: { certificates: [{ kind: 'file', certificate: join(folder, 'server.pem'), key: join(folder, 'server.key') }] },
    identity: [{ kind: 'file', file: join(folder, 'accounts.json') }],
    limits: { connectionsPerMinutePerAddress: 100_000, sessionsPerAddress: 1_000 },
  });
  home = server.files;
  place = { port: server.sftp!, folder, hostKey: HostKey.read(hostPem).line, key };
});
afterAll(async () => {
  await server?.stop();
  if (place) rmSync(place.folder, { recursive: true, force: true });
});

const local = (name: string) => join(place.folder, name);
const remote = (name: string) => join(home, name);

describe.each(clients.map((client) => [client.name, client] as const))('%s', (_, client) => {
  const lacks = (what: 'resumePut' | 'resumeGet' | 'rename over') => client.lacks?.includes(what) ?? false;

  test.each(['password', 'key'] as const)('logs in by %s, puts, lists, gets, renames, and removes', async (login) => {
    const bytes = randomBytes(700_000);
    writeFileSync(local('up'), bytes);
    await client.run(place, login, [{ mkdir: '/box' }, { put: local('up'), as: '/box/a.bin' }]);
    expect(readFileSync(remote('box/a.bin')).equals(bytes)).toBe(true);
    rmSync(local('down'), { force: true }); // rclone leaves alone what has the size and the second of the file to get
    const printed = await client.run(place, login, [{ list: '/box' }, { rename: '/box/a.bin', to: '/box/b.bin' }, { get: '/box/b.bin', as: local('down') }]);
    expect(printed).toContain('a.bin');
    expect(printed).toContain('700000');
    expect(readFileSync(local('down')).equals(bytes)).toBe(true);
    await client.run(place, login, [{ remove: '/box/b.bin' }, { rmdir: '/box' }]);
    expect(existsSync(remote('box'))).toBe(false);
  });

  test('goes on with a transfer that was broken off', async () => {
    const bytes = randomBytes(500_000);
    writeFileSync(local('whole'), bytes);
    if (!lacks('resumePut')) {
      writeFileSync(remote('part.bin'), bytes.subarray(0, 123_456));
      await client.run(place, 'key', [{ resumePut: local('whole'), as: '/part.bin' }]);
      expect(readFileSync(remote('part.bin')).equals(bytes)).toBe(true);
    }
    if (!lacks('resumeGet')) {
      writeFileSync(remote('part.bin'), bytes);
      writeFileSync(local('part'), bytes.subarray(0, 234_567));
      await client.run(place, 'key', [{ resumeGet: '/part.bin', as: local('part') }]);
      expect(readFileSync(local('part')).equals(bytes)).toBe(true);
    }
    rmSync(remote('part.bin'), { force: true });
  });

  test('puts and renames over a file that is there', async () => {
    writeFileSync(local('new'), 'new');
    writeFileSync(remote('there.txt'), 'an older and longer text');
    await client.run(place, 'key', [{ put: local('new'), as: '/there.txt' }]);
    expect(readFileSync(remote('there.txt'), 'utf8')).toBe('new');
    if (lacks('rename over')) return;
    writeFileSync(remote('other.txt'), 'other');
    await client.run(place, 'key', [{ rename: '/other.txt', to: '/there.txt' }]);
    expect(readFileSync(remote('there.txt'), 'utf8')).toBe('other');
  });

  test('has names with every character', async () => {
    const names = ["it's", 'two  blanks', 'käse ☕ 日本', 'semi;colon&pipe|', '#hash%20+', '(round) {curly}', '-dash', '~tilde', '$dollar'];
    writeFileSync(local('odd'), 'odd');
    await client.run(
      place,
      'key',
      names.map((name) => ({ put: local('odd'), as: `/${name}` })),
    );
    const there = readdirSync(home);
    expect(names.filter((name) => !there.includes(name))).toEqual([]);
    for (const name of names) rmSync(remote(name));
  });
});

test('scp of OpenSSH, which is SFTP, copies folders both ways and keeps times', async () => {
  mkdirSync(local('tree/deep'), { recursive: true });
  writeFileSync(local('tree/one'), '1');
  writeFileSync(local('tree/deep/two'), '22');
  const { options, env } = openSsh(place, 'key');
  await program('scp', ['-s', '-r', '-p', ...options, '-P', String(place.port), local('tree'), `${USER}@127.0.0.1:/`], { env });
  expect(readFileSync(remote('tree/deep/two'), 'utf8')).toBe('22');
  await program('scp', ['-s', '-r', '-p', ...options, '-P', String(place.port), `${USER}@127.0.0.1:/tree`, local('back')], { env });
  expect(readFileSync(local('back/deep/two'), 'utf8')).toBe('22');
  // The old protocol is a command, and no command is run.
  await expect(program('scp', ['-O', ...options, '-P', String(place.port), local('tree/one'), `${USER}@127.0.0.1:/`], { env })).rejects.toThrow();
});

test('a thousand files go up and come down', async () => {
  mkdirSync(local('many'));
  for (let count = 0; count < 1_000; count += 1) writeFileSync(local(`many/${count}.txt`), `file ${count}`);
  const { options, env } = openSsh(place, 'key');
  await program('scp', ['-s', '-q', '-r', ...options, '-P', String(place.port), local('many'), `${USER}@127.0.0.1:/`], { env });
  expect(readdirSync(remote('many'))).toHaveLength(1_000);
  await program('scp', ['-s', '-q', '-r', ...options, '-P', String(place.port), `${USER}@127.0.0.1:/many`, local('many-back')], { env });
  expect(readdirSync(local('many-back'))).toHaveLength(1_000);
  expect(readFileSync(local('many-back/777.txt'), 'utf8')).toBe('file 777');
});

test('a gibibyte goes up and comes down with its hash, over several changes of keys', async () => {
  const GIB = 1024 ** 3;
  const piece = randomBytes(1024 * 1024);
  const file = openSync(local('huge'), 'w');
  const hash = createHash('sha256');
  for (let count = 0; count < 1024; count += 1) {
    piece.writeUInt32BE(count, 0);
    writeSync(file, piece);
    hash.update(piece);
  }
  closeSync(file);
  const wanted = hash.digest('hex');
  const { options, env } = openSsh(place, 'key');
  await program('scp', ['-s', '-q', ...options, '-P', String(place.port), local('huge'), `${USER}@127.0.0.1:/huge`], { env });
  truncateSync(local('huge'), 0);
  await program('scp', ['-s', '-q', '-o', 'RekeyLimit=256M', ...options, '-P', String(place.port), `${USER}@127.0.0.1:/huge`, local('huge')], { env });
  const back = createHash('sha256');
  for await (const chunk of createReadStream(local('huge'))) back.update(chunk as Buffer);
  expect(back.digest('hex')).toBe(wanted);
  const line = server.audit().find((one) => 'file' in one && one.file?.path === '/huge' && one.activity_name === 'Put');
  expect(line).toMatchObject({ file: { size: GIB, hashes: [{ value: wanted }] }, unmapped: { protocol: 'ssh' } });
  rmSync(local('huge'));
  rmSync(remote('huge'));
});
