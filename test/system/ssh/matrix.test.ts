/** What partners do, done by the clients they have, against the built server. */
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { type ServedProcess, USER } from '../support/served';
import { clients, openSsh, type Place, program } from './clients';
import { type SshServed, sshServed, told } from './served';

/** With SSH_MATRIX_LONG every client moves a thousand files and a gibibyte; else a few. */
const [MANY, LARGE] = process.env['SSH_MATRIX_LONG'] ? [1_000, 1024 ** 3] : [20, 8 * 1024 ** 2];

let served: SshServed;
let server: ServedProcess;
let place: Place;
let home: string;

beforeAll(async () => {
  served = await sshServed();
  ({ server, place } = served);
  home = server.files;
});
afterAll(() => served?.stop());

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

  test('logs in by whatever else it can', async () => {
    writeFileSync(local('up'), 'up');
    for (const login of client.logins ?? []) {
      expect(await client.run(place, login, [{ put: local('up'), as: `/by-${login}` }, { list: '/' }])).toContain(`by-${login}`);
      rmSync(remote(`by-${login}`));
    }
  });

  test(`moves ${MANY} files, and ${LARGE / 1024 ** 2} MiB with their hash`, async () => {
    for (let one = 0; one < MANY; one += 1) writeFileSync(local(`one-${one}`), `file ${one}`);
    await client.run(place, 'key', [
      { mkdir: '/files' },
      ...Array.from({ length: MANY }, (_none, one) => ({ put: local(`one-${one}`), as: `/files/one-${one}` })),
    ]);
    expect(readdirSync(remote('files'))).toHaveLength(MANY);
    expect(readFileSync(remote(`files/one-${MANY - 1}`), 'utf8')).toBe(`file ${MANY - 1}`);
    rmSync(remote('files'), { recursive: true });
    const piece = randomBytes(1024 ** 2);
    const hash = createHash('sha256');
    const file = openSync(local('large'), 'w');
    for (let one = 0; one < LARGE / piece.length; one += 1) {
      piece.writeUInt32BE(one, 0);
      writeSync(file, piece);
      hash.update(piece);
    }
    closeSync(file);
    rmSync(local('large-back'), { force: true });
    await client.run(place, 'key', [
      { put: local('large'), as: '/large' },
      { get: '/large', as: local('large-back') },
    ]);
    const back = createHash('sha256');
    for await (const chunk of createReadStream(local('large-back'))) back.update(chunk as Buffer);
    const wanted = hash.digest('hex');
    expect(back.digest('hex')).toBe(wanted);
    // Under whatever name: some send it to another first.
    await told(() => server.audit().some((one) => 'file' in one && one.file?.size === LARGE && one.file.hashes?.[0]?.value === wanted));
    rmSync(remote('large'));
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
