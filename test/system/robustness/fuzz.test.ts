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
import { verifyChain } from '../../../server/audit/chain';
import { auditLine } from '../../../server/audit/schema';
import { controlInput, mutated, proxyInput } from './inputs';
import { Random } from './random';
import { auditLines, leaks, megabytes, PASSWORD, type Watched, watched } from './watched';
import { clientHello, Hang, Spoiler, Wire } from './wire';

const SEED = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 32));
const INPUTS = Number(process.env.FUZZ_INPUTS ?? 100_000);
const [FIRST, LAST] = (process.env.FUZZ_EPISODES ?? `0-${Number.MAX_SAFE_INTEGER}`).split('-').map(Number) as [number, number];
/** Connections at once. */
const SIDE_BY_SIDE = 48;

let server: Watched;
beforeAll(async () => {
  server = await watched();
});
afterAll(() => server.stop());

const counts = { inputs: 0, 'before login': 0, 'after login': 0, handshake: 0, data: 0 };

function count(kind: Exclude<keyof typeof counts, 'inputs'>): void {
  counts.inputs += 1;
  counts[kind] += 1;
}

/** Sends inputs in small packs, each in one packet or two, and asks after each pack whether the server still answers. */
async function talk(wire: Wire, random: Random, inputs: number, kind: 'before login' | 'after login'): Promise<void> {
  for (let sent = 0; sent < inputs; ) {
    for (let pack = random.between(1, 6); pack > 0 && sent < inputs; pack -= 1) {
      const input = controlInput(random);
      const cut = random.chance(4) ? random.below(input.length + 1) : input.length;
      wire.write(input.subarray(0, cut));
      if (cut < input.length) wire.write(input.subarray(cut));
      count(kind);
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
    count('before login');
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
  count('handshake');
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
    count('data');
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

/** Runs episodes until so many inputs were sent. Answers what went wrong. */
async function fuzz(from: number, inputs: number): Promise<{ readonly next: number; readonly hangs: string[]; readonly unexpected: string[] }> {
  const until = counts.inputs + inputs;
  const hangs: string[] = [];
  const unexpected: string[] = [];
  let next = from;
  const worker = async () => {
    while (counts.inputs < until && next <= LAST && !server.crashed()) {
      const episode = next++;
      const random = new Random(Math.imul(SEED, 0x9e3779b1) + Math.imul(episode, 0x85ebca6b));
      try {
        await kindOf(random)(random);
      } catch (error) {
        if (error instanceof Hang) {
          hangs.push(`episode ${episode}: ${error.message}; ${await story(error.socket.localPort)}`);
          error.socket.destroy();
        } else unexpected.push(`episode ${episode}: ${(error as Error).message}`);
      }
    }
  };
  await Promise.all(Array.from({ length: SIDE_BY_SIDE }, worker));
  return { next, hangs, unexpected };
}

it(`${INPUTS.toLocaleString('en')} inputs: no crash, no unhandled rejection, no hang, no leak`, async () => {
  process.stdout.write(`fuzz: FUZZ_SEED=${SEED}\n`);
  // The first part fills caches, compiles code and opens what stays open; what grows after it is a leak.
  const first = await fuzz(FIRST, INPUTS / 5);
  await server.idle();
  const before = await server.measure();
  const started = Date.now();
  const rest = await fuzz(first.next, (INPUTS * 4) / 5);
  const seconds = (Date.now() - started) / 1000;
  const hangs = [...first.hangs, ...rest.hangs];
  const unexpected = [...first.unexpected, ...rest.unexpected];
  const crashes = server.crashed() ? [server.output().slice(-2_000)] : [];
  let leaked: string[] = [];
  if (crashes.length === 0) {
    await server.idle();
    // Timers of what has ended run out: the longest of them waits for a client to close.
    for (let patience = 30; patience > 0; patience -= 1) {
      leaked = leaks(before, await server.measure(), { memory: 4 * 1024 * 1024 });
      if (leaked.length === 0) break;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    const after = await server.measure();
    process.stdout.write(
      `fuzz: heap ${megabytes(before.heapUsed)} before, ${megabytes(after.heapUsed)} after; resident ${megabytes(before.rss)} before, ${megabytes(after.rss)} after\n`,
    );
  }
  process.stdout.write(
    `fuzz: ${JSON.stringify({ seed: SEED, episodes: rest.next - FIRST, ...counts, perSecond: Math.round((INPUTS * 0.8) / seconds) })}\n` +
      `fuzz: ${JSON.stringify({ crashes: crashes.length, rejections: server.warnings().length, hangs: hangs.length, leaks: leaked.length })}\n`,
  );
  expect({ crashes, warnings: server.warnings(), hangs, unexpected, leaked }).toEqual({ crashes: [], warnings: [], hangs: [], unexpected: [], leaked: [] });
}, 300_000);

it('and everything it wrote is whole, in its form, and without a secret', async () => {
  const lines = auditLines(server);
  expect((await verifyChain(lines)).breaks).toEqual([]);
  for (const line of lines) auditLine.parse(JSON.parse(line));
  const written = `${lines.join('\n')}\n${server.output()}\n${await server.admin('/metrics')}`;
  for (const secret of [PASSWORD, 'PRIVATE KEY', '$scrypt$']) expect(written.includes(secret)).toBe(false);
}, 120_000);
