/**
 * Byte-level fuzz of the built server in a process of its own: the control connection before and after the login, the PROXY header,
 * the TLS handshake, and data connections. What is counted must be zero: crashes, rejections that nobody handled, hangs, leaks.
 *
 * FUZZ_INPUTS   how many inputs, 100000 by default
 * FUZZ_SEED     what was printed, to do the same again; new each time by default
 * FUZZ_EPISODES first-last, to repeat only these connections
 */
import { connect as connectTcp } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { Counts, fuzzed, Hang } from './fuzzed';
import { controlInput, mutated, proxyInput } from './inputs';
import type { Random } from './random';
import { auditLines, type Watched, watched } from './watched';
import { clientHello, Spoiler, Wire } from './wire';

let server: Watched;
beforeAll(async () => {
  server = await watched();
});
afterAll(() => server.stop());

const counts = new Counts(['before login', 'after login', 'handshake', 'data']);

/** Sends inputs in small packs, each in one packet or two, and asks after each pack whether the server still answers. */
async function talk(wire: Wire, random: Random, inputs: number, kind: 'before login' | 'after login'): Promise<void> {
  for (let sent = 0; sent < inputs; ) {
    for (let pack = random.between(1, 6); pack > 0 && sent < inputs; pack -= 1) {
      const input = controlInput(random);
      const cut = random.chance(4) ? random.below(input.length + 1) : input.length;
      wire.write(input.subarray(0, cut));
      if (cut < input.length) wire.write(input.subarray(cut));
      counts.count(kind);
      sent += 1;
    }
    if (!(await wire.answered())) return;
  }
  wire.close(random);
}

async function beforeLogin(random: Random): Promise<void> {
  const proxied = random.chance(8);
  const wire = await Wire.tcp(proxied ? server.ports.proxied : server.ports.explicit);
  if (proxied) {
    wire.write(proxyInput(random));
    counts.count('before login');
  }
  await talk(wire, random, 40, 'before login');
}

async function afterLogin(random: Random): Promise<void> {
  await talk(await Wire.loggedIn(server), random, 80, 'after login');
}

async function handshake(random: Random): Promise<void> {
  const explicit = random.chance(2);
  const wire = await Wire.tcp(explicit ? server.ports.explicit : server.ports.implicit);
  if (explicit) {
    wire.write('AUTH TLS\r\n');
    await wire.expect('234');
  }
  wire.write(random.chance(4) ? random.bytes(random.between(1, 600)) : mutated(random, await clientHello()));
  counts.count('handshake');
  wire.socket.end();
  await wire.gone();
}

const transfers = ['STOR up.bin', 'STOR deep/er/up.bin', 'APPE up.bin', 'STOU', 'RETR up.bin', 'RETR none', 'LIST', 'NLST *', 'MLSD', 'STOR .ftps-staging/x'];

/** A session whose data connections are everything but what they should be. */
async function data(random: Random): Promise<void> {
  const control = await Wire.loggedIn(server);
  for (let transfer = 0; transfer < 4; transfer += 1) {
    control.write('EPSV\r\n');
    const offered = await control.final();
    if (offered === undefined) return;
    // All these clients come from one address and many do not resume: now and then no port is free for another (425).
    const port = Number(/^229 .*\|(\d+)\|/.exec(offered)?.[1]);
    if (Number.isNaN(port)) continue;
    const early = random.chance(2);
    const command = `${random.chance(8) ? 'REST 5\r\n' : ''}${random.pick(transfers)}\r\n`;
    if (!early) control.write(command);
    await spoiledConnection(control, port, random);
    counts.count('data');
    if (early) control.write(command);
    if (random.chance(6)) control.write('ABOR\r\n');
    if (random.chance(10)) return control.close(random);
    if (!(await control.answered())) return;
  }
  control.close(random);
}

async function spoiledConnection(control: Wire, port: number, random: Random): Promise<void> {
  const raw = connectTcp({ port, host: '127.0.0.1', noDelay: true });
  raw.on('error', () => {});
  const over = new Promise<void>((resolve) => raw.once('close', () => resolve()));
  const limit = setTimeout(() => raw.destroy(), random.between(20, 1_500));
  over.then(() => clearTimeout(limit));
  const kind = random.below(5);
  if (kind === 0) raw.end(random.bytes(random.between(0, 600)));
  else if (kind === 1) raw.end(mutated(random, await clientHello(control.session)));
  else {
    // A right beginning; then a right end, a cut, or bytes that were changed on the way.
    const spoiler = new Spoiler(raw, random, kind === 2 ? random.between(1, 6) : Number.POSITIVE_INFINITY, mutated);
    const client = connectTls({ socket: spoiler, ca: server.authority.pem, servername: 'localhost', session: control.session });
    client.on('error', () => {}).resume();
    client.on('session', (session) => {
      control.session = session;
    });
    client.once('secureConnect', () => {
      for (let piece = random.below(4); piece > 0; piece -= 1) client.write(random.bytes(random.between(1, 20_000)));
      if (kind === 3) client.end();
      else if (random.chance(2)) raw.end();
      else raw.destroy();
    });
    client.once('close', () => raw.destroy());
  }
  if (random.chance(3)) await over;
}

/** The kind of an episode; a connection with many inputs counts for many. */
function kindOf(random: Random): (random: Random) => Promise<void> {
  const number = random.below(100);
  if (number < 36) return beforeLogin;
  if (number < 64) return afterLogin;
  if (number < 80) return handshake;
  return data;
}

/** What the server knows of the session that a client's port is of: where it hangs. */
async function story(port: number | undefined): Promise<string> {
  const ofPort = (text: string) => text.includes(`"port":${port}`);
  const sessions = (JSON.parse(await server.admin('/sessions')) as object[]).map((session) => JSON.stringify(session));
  return [...sessions.filter(ofPort), ...auditLines(server).filter(ofPort)].join('\n');
}

/** A hang is told with what the server knows of it. */
async function episode(random: Random): Promise<void> {
  try {
    await kindOf(random)(random);
  } catch (error) {
    if (!(error instanceof Hang) || error.socket === undefined) throw error;
    const told = await story(error.socket.localPort);
    error.socket.destroy();
    throw new Hang(`${error.message}; ${told}`);
  }
}

fuzzed({
  name: 'fuzz',
  inputs: Number(process.env.FUZZ_INPUTS ?? 100_000),
  counts,
  sideBySide: 48,
  memory: 4 * 1024 * 1024,
  timeout: 300_000,
  server: () => server,
  episode,
});
