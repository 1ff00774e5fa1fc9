/**
 * What strangers can do to everybody: each attack by a process of its own, without an account, against the built server with one and with two
 * workers. Another session must go on, the audit must not grow faster than twice what the attacker sends, memory and descriptors must come back.
 *
 * ATTACK_SECONDS  how long each attack lasts, 3 by default
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import { verifyChain } from '../../../server/audit/chain';
import { leaks, type Watched, watched } from './watched';
import { Wire } from './wire';

const SECONDS = Number(process.env.ATTACK_SECONDS ?? 3);
/** The p99 of another session's NOOP is a row of the bench; here, on a machine that does other things as well, no stall may be seen. Milliseconds. */
const LONGEST_STALL = 1_000;
/** What the headers of a connection take at least, that carries nothing: SYN, ACK and FIN of IPv4 with the options of Linux. Bytes. */
const BYTES_OF_CONNECTION = 60 + 52 + 52;

const attacks = [
  'hello-bomb',
  'hello-by-byte',
  'refused-commands',
  'line-ends',
  'noops',
  'nuls',
  'one-long-line',
  'connects',
  'garbage-for-a-hello',
  'handshakes',
  'renegotiation',
  'odd-alpn-and-sni',
  'replies-unread',
  'half-open',
] as const;

interface Cost {
  readonly bytes: number;
  readonly connections: number;
  readonly refused: number;
}

async function attack(name: string, port: number): Promise<Cost> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(__dirname, 'attacker.cjs'), name, String(port), String(SECONDS)], {
    timeout: (SECONDS + 30) * 1000,
  });
  return JSON.parse(stdout);
}

/** Bytes of all files of the audit. */
function auditBytes({ auditFile }: Watched): number {
  const folder = dirname(auditFile);
  return readdirSync(folder)
    .filter((name) => name.startsWith('audit'))
    .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
}

/** Sends NOOP in turns over sessions that are logged in, until told to stop. Milliseconds, sorted. */
async function noopsUntil(wires: readonly Wire[], done: Promise<unknown>): Promise<number[]> {
  let over = false;
  void done.finally(() => {
    over = true;
  });
  const times: number[] = [];
  const ask = async (wire: Wire) => {
    while (!over) {
      const begin = performance.now();
      wire.write('NOOP\r\n');
      await wire.expect('200');
      times.push(performance.now() - begin);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };
  await Promise.all(wires.map(ask));
  return times.sort((one, other) => one - other);
}

describe.each([1, 2])('%i workers', (workers) => {
  let server: Watched;
  let wires: Wire[];
  beforeAll(async () => {
    server = await watched({ workers });
    wires = await Promise.all([Wire.loggedIn(server), Wire.loggedIn(server)]);
  });
  afterAll(() => server.stop());

  it.each(attacks)(
    '%s',
    async (name) => {
      const before = auditBytes(server);
      const attacking = attack(name, server.ports.explicit);
      const times = await noopsUntil(wires, attacking);
      const { bytes, connections } = await attacking;
      const grown = auditBytes(server) - before;
      const p99 = times[Math.floor(times.length * 0.99)] ?? Number.POSITIVE_INFINITY;
      const perByte = grown / (bytes + connections * BYTES_OF_CONNECTION);
      process.stdout.write(
        `attack: ${JSON.stringify({ workers, name, bytes, connections, noops: times.length, p99: Math.round(p99), longest: Math.round(times.at(-1) ?? 0), auditPerByte: Number(perByte.toFixed(3)) })}\n`,
      );
      expect(server.crashed()).toBe(false);
      expect(times.at(-1)).toBeLessThan(LONGEST_STALL);
      // What an address has at once is no rate: 60 lines of less than 1,000 bytes, in each worker.
      expect(grown).toBeLessThanOrEqual(2 * (bytes + connections * BYTES_OF_CONNECTION) + workers * 60_000);
    },
    (SECONDS + 60) * 1000,
  );

  it('has lost nothing: sessions go on, memory and descriptors come back, the audit is whole and told in few lines', async () => {
    for (const wire of wires) wire.write('QUIT\r\n');
    await server.idle();
    const before = await server.measure();
    await attack('connects', server.ports.explicit);
    await server.idle();
    let leaked: string[] = [];
    for (let patience = 20; patience > 0; patience -= 1) {
      leaked = leaks(before, await server.measure(), { memory: 16 * 1024 * 1024 });
      if (leaked.length === 0) break;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    expect(leaked).toEqual([]);
    expect(server.warnings()).toEqual([]);
    const lines = readdirSync(server.folder)
      .filter((name) => name.startsWith('audit'))
      .sort()
      .flatMap((name) => readFileSync(join(server.folder, name), 'utf8').split('\n'));
    expect((await verifyChain(lines)).breaks).toEqual([]);
  }, 120_000);
});

it('renegotiation is refused, and early data is neither offered nor taken', async () => {
  const server = await watched();
  try {
    const socket = connectTls({ port: server.ports.implicit, host: '127.0.0.1', rejectUnauthorized: false, maxVersion: 'TLSv1.2' });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    const error = await new Promise<Error | null>((resolve) => {
      socket.on('error', resolve);
      socket.renegotiate({ rejectUnauthorized: false }, resolve);
    });
    expect(error?.message).toMatch(/no renegotiation|NO_RENEGOTIATION/i);
    const { stdout } = await promisify(execFile)('sh', [
      '-c',
      `(sleep 1; echo QUIT) | openssl s_client -connect 127.0.0.1:${server.ports.implicit} -tls1_3 -sess_out ${server.folder}/session 2>/dev/null; echo NOOP > ${server.folder}/early; (sleep 1) | openssl s_client -connect 127.0.0.1:${server.ports.implicit} -tls1_3 -sess_in ${server.folder}/session -early_data ${server.folder}/early 2>&1`,
    ]);
    expect(stdout).toMatch(/Max Early Data: 0/);
    expect(stdout).not.toMatch(/Early data was accepted/);
  } finally {
    await server.stop();
  }
}, 60_000);
