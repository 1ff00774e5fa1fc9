/**
 * Fuzz of SSH against the built server in a process of its own: recorded packets of good clients, changed before they are encrypted, before there are
 * keys, before and after the login, and changed requests of SFTP and lines of scp behind it. What is counted must be zero: crashes, rejections that
 * nobody handled, hangs, leaks.
 *
 * SSH_FUZZ_INPUTS  how many inputs, 20,000 by default; 100,000 is the long form
 * FUZZ_SEED        what was printed, to do the same again; new each time by default
 * FUZZ_EPISODES    first-last, to repeat only these connections
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect as connectTcp } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { SFTPWrapper } from 'ssh2';
import { WireReader, WireWriter } from '../../../server/ssh/wire';
import { Counts, fuzzed, Hang } from './fuzzed';
import { mutated } from './inputs';
import { Random } from './random';
import { recorded, SshWire } from './ssh-wire';
import { PASSWORD, type Watched, watched } from './watched';

let server: Watched;
/** What good clients send: before there are keys, to log in, on channels, and as requests of SFTP. */
const good = { plain: [] as Buffer[], login: [] as Buffer[], channels: [] as Buffer[], sftp: [] as Buffer[] };
const scp = ['C0644 5 name\n', 'hello\0', 'T1700000000 0 1700000000 0\n', 'D0755 0 folder\n', 'E\n', '\0', '\x01scp: no\n'].map((line) => Buffer.from(line));

let keys: string;
beforeAll(async () => {
  keys = mkdtempSync(join(tmpdir(), 'ftps-fuzz-keys-'));
  for (const name of ['ca', 'user']) execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(keys, name)]);
  execFileSync('ssh-keygen', [
    '-q',
    '-s',
    join(keys, 'ca'),
    '-I',
    'fuzz',
    '-n',
    'demo',
    '-O',
    'source-address=192.0.2.0/24',
    '-V',
    '+1h',
    join(keys, 'user.pub'),
  ]);
  server = await watched({ sftp: { userCertificates: { authorities: [readFileSync(join(keys, 'ca.pub'), 'utf8').trim()] } } });
  mkdirSync(join(server.files, 'scp'), { recursive: true });
  await record();
});
afterAll(async () => {
  rmSync(keys, { recursive: true, force: true });
  await server.stop();
});

/** A certificate that is offered, and one that is said to be proven. */
function certificates(): Buffer[] {
  const [type, blob] = readFileSync(join(keys, 'user-cert.pub'), 'utf8').split(' ') as [string, string];
  const request = (isSigned: boolean) =>
    new WireWriter().byte(50).string('demo').string('ssh-connection').string('publickey').boolean(isSigned).string(type).string(Buffer.from(blob, 'base64'));
  return [
    request(false).done(),
    request(true)
      .string(new WireWriter().string('ssh-ed25519').string(Buffer.alloc(64, 1)).done())
      .done(),
  ];
}

async function record(): Promise<void> {
  const login = { username: 'demo', password: PASSWORD };
  const payloads = [
    ...(await recorded(server.ports.sftp, login, async (_client, sftp) => everything(sftp))),
    ...(await recorded(server.ports.sftp, { ...login, tryKeyboard: true, authHandler: ['none', 'keyboard-interactive', 'password'] } as never, async () => {})),
  ];
  for (const payload of payloads) {
    const type = payload[0]!;
    if (type === 94) good.sftp.push(Buffer.from(new WireReader(payload, 5).string().subarray(4)));
    if (type >= 20 && type < 50) good.plain.push(payload);
    else if (type >= 80) good.channels.push(payload);
    else good.login.push(payload);
  }
  good.login.push(...certificates());
  // What clients ask for that get nothing, or that ours does not ask for.
  const session = (request: string) => new WireWriter().byte(98).uint32(0).string(request).boolean(true);
  good.channels.push(
    session('shell').done(),
    session('exec').string('scp -t /').done(),
    session('env').string('LANG').string('C').done(),
    session('pty-req').string('xterm').uint32(80).uint32(24).uint32(0).uint32(0).string('').done(),
    new WireWriter().byte(80).string('tcpip-forward').boolean(true).string('').uint32(0).done(),
    new WireWriter().byte(90).string('direct-tcpip').uint32(3).uint32(9_999).uint32(9_999).string('a').uint32(1).string('b').uint32(2).done(),
    new WireWriter().byte(95).uint32(0).uint32(1).string('to standard error').done(),
    new WireWriter().byte(93).uint32(0).uint32(0xffff_ffff).done(),
    Buffer.from([96, 0, 0, 0, 0]),
    Buffer.from([97, 0, 0, 0, 0]),
  );
  const extended = (name: string) => new WireWriter().byte(200).uint32(7).string(name);
  good.sftp.push(
    extended('limits@openssh.com').done(),
    extended('expand-path@openssh.com').string('~/x').done(),
    extended('copy-data').string(Buffer.alloc(4)).uint64(0).uint64(0).string(Buffer.alloc(4)).uint64(0).done(),
    extended('lsetstat@openssh.com').string('/a').uint32(0).done(),
  );
}

/** Everything that SFTP has. */
async function everything(sftp: SFTPWrapper): Promise<void> {
  type Call = (...args: readonly unknown[]) => Promise<unknown>;
  const call = (name: string, ...args: readonly unknown[]) =>
    (promisify((sftp as unknown as Record<string, (...all: unknown[]) => void>)[name]!.bind(sftp)) as unknown as Call)(...args).catch(() => undefined);
  writeFileSync(join(server.files, 'there'), 'x'.repeat(100_000));
  await call('mkdir', '/folder');
  for (const flags of ['w', 'r+', 'a', 'wx']) {
    const handle = await call('open', `/folder/${flags}`, flags);
    if (!handle) continue;
    await call('write', handle, Buffer.from('some bytes'), 0, 10, 0);
    await call('write', handle, Buffer.from('out of order'), 0, 12, 70_000);
    await call('fsetstat', handle, { mtime: 1_700_000_000, atime: 1_700_000_000 });
    await call('ext_openssh_fsync', handle);
    await call('fstat', handle);
    await call('close', handle);
  }
  const reading = await call('open', '/there', 'r');
  await call('read', reading, Buffer.alloc(1_000), 0, 1_000, 50_000);
  await call('close', reading);
  const folder = await call('opendir', '/folder');
  await call('readdir', folder);
  await call('close', folder);
  for (const name of ['stat', 'lstat', 'realpath', 'readlink', 'ext_openssh_statvfs']) await call(name, '/there');
  await call('setstat', '/there', { mtime: 1, atime: 1, mode: 0o600, size: 3 });
  await call('rename', '/there', '/folder/there');
  await call('ext_openssh_rename', '/folder/there', '/there');
  await call('symlink', '/there', '/link');
  await call('unlink', '/folder/a');
  await call('rmdir', '/folder');
}

const counts = new Counts(['before keys', 'before login', 'after login', 'sftp', 'scp']);

/** A packet as it is before there are keys. */
function plain(random: Random, payload: Buffer): Buffer {
  const padding = 8 - ((5 + payload.length) % 8) + (8 - ((5 + payload.length) % 8) < 4 ? 8 : 0);
  const bytes = new WireWriter()
    .uint32(1 + payload.length + padding)
    .byte(padding)
    .raw(payload)
    .raw(Buffer.alloc(padding))
    .done();
  return random.chance(6) ? mutated(random, bytes) : bytes;
}

/** Opens the connection of an episode, which is closed at its end whatever comes. */
type Opener = (password?: string) => Promise<SshWire>;

/** One of them, most often changed. */
const changed = (random: Random, from: readonly Buffer[]) => (random.chance(4) ? random.pick(from) : mutated(random, random.pick(from)));

async function beforeKeys(random: Random): Promise<void> {
  const socket = connectTcp({ port: server.ports.sftp, host: '127.0.0.1', noDelay: true });
  socket.on('error', () => {}).resume();
  const over = new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Hang('the connection was not closed')), 20_000);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
  });
  socket.write(random.chance(8) ? mutated(random, Buffer.from('SSH-2.0-fuzz\r\n')) : 'SSH-2.0-fuzz\r\n');
  // A good beginning now and then, or a change would never be reached.
  if (random.chance(2)) socket.write(plain(new Random(1), good.plain[0]!));
  for (let packets = random.between(1, 8); packets > 0; packets -= 1) {
    const bytes = plain(
      random,
      random.chance(8) ? random.bytes(random.between(1, 300)) : changed(random, [...good.plain, ...good.plain, ...good.login, ...good.channels]),
    );
    const cut = random.chance(4) ? random.below(bytes.length + 1) : bytes.length;
    socket.write(bytes.subarray(0, cut));
    if (cut < bytes.length) socket.write(bytes.subarray(cut));
    counts.count('before keys');
  }
  socket.end();
  await over;
}

async function beforeLogin(random: Random, opened: Opener): Promise<void> {
  const wire = await opened();
  wire.send(new WireWriter().byte(5).string('ssh-userauth').done());
  while (!wire.closed) {
    for (let pack = random.between(1, 4); pack > 0; pack -= 1) {
      wire.send(changed(random, random.chance(8) ? good.channels : good.login), random.chance(50) ? random.below(256) : undefined);
      counts.count('before login');
    }
    if (!(await wire.refusedAgain())) return;
  }
}

async function afterLogin(random: Random, opened: Opener): Promise<void> {
  const wire = await opened(PASSWORD);
  // What is said of a channel that never was ends the connection: some are there.
  await wire.openChannel('subsystem', 'sftp');
  await wire.openChannel('subsystem', 'sftp');
  for (let sent = 0; sent < 60; ) {
    for (let pack = random.between(1, 6); pack > 0; pack -= 1) {
      const input = random.chance(20) ? random.bytes(random.between(1, 100)) : changed(random, random.chance(20) ? good.login : good.channels);
      // What ends the connection rightly would end most of them at once: keys are asked for, and goodbyes said, now and then.
      const isEnd = input[0] === 1 || input[0] === 20;
      if (isEnd && !random.chance(10)) continue;
      wire.send(input, random.chance(200) ? random.below(256) : undefined);
      counts.count('after login');
      sent += 1;
    }
    if (!(await wire.dealtWith())) return;
  }
}

const ofHandle = [4, 5, 6, 8, 10, 12];
/** A request of SFTP, about one of the handles that may be there. */
function request(random: Random): Buffer {
  const body = Buffer.from(changed(random, good.sftp));
  if (ofHandle.includes(body[0] ?? 0) && body.length >= 13 && random.chance(4) === false) body.writeUInt32BE(random.between(1, 8), 9);
  return body;
}

async function sftp(random: Random, opened: Opener): Promise<void> {
  const wire = await opened(PASSWORD);
  await wire.openChannel('subsystem', 'sftp');
  wire.write(new WireWriter().uint32(5).byte(1).uint32(3).done());
  const ends = random.chance(3);
  for (let sent = 0; sent < 120; ) {
    let pack = Buffer.alloc(0);
    for (let left = random.between(1, 12); left > 0; left -= 1) {
      const body = request(random);
      const bytes = new WireWriter().string(body).done();
      if (random.chance(200)) bytes.writeUInt32BE(random.pick([0, 1, body.length + 1, body.length - 1, 262_144, 262_145, 0xffff_ffff]) >>> 0, 0);
      pack = Buffer.concat([pack, bytes]);
      counts.count('sftp');
      sent += 1;
    }
    if (!wire.write(pack)) break;
    if (!(await wire.sftpAnswered())) return;
  }
  // Some leave without a word, with files open; some say that they send no more, and wait for the end.
  if (ends) {
    wire.send(Buffer.concat([Buffer.from([96]), new WireWriter().uint32(wire.channel).done()]));
    await wire.channelGone();
  }
}

async function copying(random: Random, opened: Opener): Promise<void> {
  const wire = await opened(PASSWORD);
  const line = random.pick(['scp -t /', 'scp -r -p -t /scp', 'scp -f /there', 'scp -r -p -f /', 'scp -d -t /none']);
  await wire.openChannel('exec', random.chance(4) ? mutated(random, Buffer.from(line)).toString('latin1') : line);
  for (let sent = random.between(5, 40); sent > 0; sent -= 1) {
    wire.write(changed(random, scp));
    counts.count('scp');
  }
  wire.send(Buffer.concat([Buffer.from([96]), new WireWriter().uint32(wire.channel).done()]));
  await wire.dealtWith();
}

function kindOf(random: Random): (random: Random, opened: Opener) => Promise<void> {
  const number = random.below(100);
  if (number < 50) return beforeKeys;
  if (number < 75) return beforeLogin;
  if (number < 88) return afterLogin;
  if (number < 98) return sftp;
  return copying;
}

async function episode(random: Random): Promise<void> {
  const kind = kindOf(random);
  let wire: SshWire | undefined;
  try {
    await kind(random, async (password) => {
      wire = await SshWire.open(server.ports.sftp, password);
      return wire;
    });
  } catch (error) {
    (error as Error).message = `${kind.name}: ${(error as Error).message}`;
    throw error;
  } finally {
    wire?.close();
  }
}

/** What of unfinished uploads lies about. */
function staged(): string[] {
  return (readdirSync(server.files, { recursive: true }) as string[]).filter((name) => /\.ftps-staging\/[^/]+\/./.test(name));
}

fuzzed({
  name: 'ssh fuzz',
  inputs: Number(process.env.SSH_FUZZ_INPUTS ?? 20_000),
  counts,
  sideBySide: 16,
  memory: 6 * 1024 * 1024,
  timeout: 900_000,
  server: () => server,
  episode,
  left: staged,
});
