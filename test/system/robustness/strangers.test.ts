/**
 * What strangers can do to everybody: each attack by a process of its own, without an account, against the built server with one and with two
 * workers. Another session must go on, the audit must not grow faster than twice what the attacker sends, memory and descriptors must come back.
 *
 * ATTACK_SECONDS  how long each attack lasts, 3 by default
 * HALF_OPEN       how many handshakes are begun and left at once, 2,000 by default; 10,000 is the long form
 */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { promisify } from 'node:util';
import { verifyChain } from '../../../server/audit/chain';
import { attack, attacks, p99, timesUntil } from './attack';
import { leaks, type Watched, watched } from './watched';
import { Wire } from './wire';

const SECONDS = Number(process.env.ATTACK_SECONDS ?? 3);
/** The p99 of another session's NOOP is a row of the bench; here, on a machine that does other things as well, no stall may be seen. Milliseconds. */
const LONGEST_STALL = 1_000;
/** Bytes of all files of the audit. */
function auditBytes({ auditFile }: Watched): number {
  const folder = dirname(auditFile);
  return readdirSync(folder)
    .filter((name) => name.startsWith('audit'))
    .reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
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
      const attacking = attack(name, server.ports.explicit, SECONDS);
      const noop = async (wire: Wire) => {
        wire.write('NOOP\r\n');
        await wire.expect('200');
      };
      const times = (await Promise.all(wires.map((wire) => timesUntil(attacking, () => noop(wire))))).flat().sort((one, other) => one - other);
      const { bytes, connections } = await attacking;
      const grown = auditBytes(server) - before;
      const longest = times.at(-1) ?? Number.POSITIVE_INFINITY;
      const told = {
        workers,
        name,
        bytes,
        connections,
        noops: times.length,
        p99: Math.round(p99(times)),
        longest: Math.round(longest),
        auditPerByte: grown / bytes,
      };
      process.stdout.write(`attack: ${JSON.stringify(told)}\n`);
      expect(server.crashed()).toBe(false);
      expect(longest).toBeLessThan(LONGEST_STALL);
      // What an address has at once is no rate: 60 lines of less than 1,000 bytes, in each worker.
      expect(grown).toBeLessThanOrEqual(2 * bytes + workers * 60_000);
    },
    (SECONDS + 60) * 1000,
  );

  it('has lost nothing: sessions go on, memory and descriptors come back, the audit is whole and told in few lines', async () => {
    for (const wire of wires) wire.write('QUIT\r\n');
    await server.idle();
    const before = await server.measure();
    await attack('connects', server.ports.explicit, SECONDS);
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
