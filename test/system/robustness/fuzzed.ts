/** What every fuzz of the built server does: episodes side by side from one seed, and what is counted, all of which must be zero: crashes, rejections that nobody handled, hangs, leaks. */
import type { Socket } from 'node:net';
import { verifyChain } from '../../../server/audit/chain';
import { auditLine } from '../../../server/audit/schema';
import { Random } from './random';
import { auditLines, leaks, megabytes, PASSWORD, type Watched } from './watched';

const SEED = Number(process.env.FUZZ_SEED ?? Math.floor(Math.random() * 2 ** 32));
const [FIRST, LAST] = (process.env.FUZZ_EPISODES ?? `0-${Number.MAX_SAFE_INTEGER}`).split('-').map(Number) as [number, number];

/** The server did not answer and did not close. */
export class Hang extends Error {
  constructor(
    message: string,
    /** The client's connection, still open, where somebody wants to look. */
    readonly socket?: Socket,
  ) {
    super(message);
  }
}

/** What was sent, by kind. */
export class Counts<Kind extends string> {
  inputs = 0;
  readonly byKind: Record<Kind, number>;

  constructor(kinds: readonly Kind[]) {
    this.byKind = Object.fromEntries(kinds.map((kind) => [kind, 0])) as Record<Kind, number>;
  }

  count(kind: Kind): void {
    this.inputs += 1;
    this.byKind[kind] += 1;
  }
}

export interface Fuzz {
  /** Before each line that is printed. */
  readonly name: string;
  readonly inputs: number;
  readonly counts: Counts<string>;
  /** Connections at once. */
  readonly sideBySide: number;
  /** How much larger the heap may be after all than after the first fifth. Bytes. */
  readonly memory: number;
  /** Milliseconds. */
  readonly timeout: number;
  server(): Watched;
  /** One connection: what it does follows from `random` alone. Throws a `Hang` where the server does not answer; whatever else it throws was not foreseen. */
  episode(random: Random): Promise<void>;
  /** What else may lie about when nobody is connected any more. */
  left?(): readonly string[];
}

/** Runs episodes until so many inputs were sent. Answers what went wrong. */
async function run(fuzz: Fuzz, from: number, inputs: number): Promise<{ readonly next: number; readonly hangs: string[]; readonly unexpected: string[] }> {
  const until = fuzz.counts.inputs + inputs;
  const hangs: string[] = [];
  const unexpected: string[] = [];
  let next = from;
  const lane = async () => {
    while (fuzz.counts.inputs < until && next <= LAST && !fuzz.server().crashed()) {
      const episode = next++;
      try {
        await fuzz.episode(new Random(Math.imul(SEED, 0x9e3779b1) + Math.imul(episode, 0x85ebca6b)));
      } catch (error) {
        (error instanceof Hang ? hangs : unexpected).push(`episode ${episode}: ${(error as Error).stack}`);
      }
    }
  };
  await Promise.all(Array.from({ length: fuzz.sideBySide }, lane));
  return { next, hangs, unexpected };
}

/** What has not gone half a minute after the last connection: timers of what has ended run out, the longest of them waits for a client to close. */
async function leaked(fuzz: Fuzz, before: Awaited<ReturnType<Watched['measure']>>): Promise<readonly string[]> {
  const server = fuzz.server();
  await server.idle();
  const told = async () => [...leaks(before, await server.measure(), { memory: fuzz.memory }), ...(fuzz.left?.() ?? [])];
  let found = await told();
  for (let patience = 30; patience > 0 && found.length > 0; patience -= 1) {
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    found = await told();
  }
  const after = await server.measure();
  const grown = (of: 'heapUsed' | 'rss') => `${megabytes(before[of])} before, ${megabytes(after[of])} after`;
  process.stdout.write(`${fuzz.name}: heap ${grown('heapUsed')}; resident ${grown('rss')}\n`);
  return found;
}

/** Defines the tests of a fuzz. `FUZZ_SEED` and `FUZZ_EPISODES` do again what was printed. */
export function fuzzed(fuzz: Fuzz): void {
  const say = (what: object) => process.stdout.write(`${fuzz.name}: ${JSON.stringify(what)}\n`);

  it(
    `${fuzz.inputs.toLocaleString('en')} inputs: no crash, no unhandled rejection, no hang, no leak`,
    async () => {
      const server = fuzz.server();
      process.stdout.write(`${fuzz.name}: FUZZ_SEED=${SEED}\n`);
      // The first part fills caches, compiles code and opens what stays open; what grows after it is a leak.
      const first = await run(fuzz, FIRST, fuzz.inputs / 5);
      await server.idle();
      const before = await server.measure();
      const started = Date.now();
      const rest = await run(fuzz, first.next, (fuzz.inputs * 4) / 5);
      const perSecond = Math.round((fuzz.inputs * 0.8) / ((Date.now() - started) / 1000));
      const hangs = [...first.hangs, ...rest.hangs];
      const unexpected = [...first.unexpected, ...rest.unexpected];
      const crashes = server.crashed() ? [server.output().slice(-2_000)] : [];
      const lost = crashes.length === 0 ? await leaked(fuzz, before) : [];
      const warnings = server.warnings();
      say({ seed: SEED, episodes: rest.next - FIRST, inputs: fuzz.counts.inputs, ...fuzz.counts.byKind, perSecond });
      say({ crashes: crashes.length, rejections: warnings.length, hangs: hangs.length, leaks: lost.length });
      expect({ crashes, warnings, hangs, unexpected, lost }).toEqual({ crashes: [], warnings: [], hangs: [], unexpected: [], lost: [] });
    },
    fuzz.timeout,
  );

  it('and everything it wrote is whole, in its form, and without a secret', async () => {
    const server = fuzz.server();
    const lines = auditLines(server);
    expect((await verifyChain(lines)).breaks).toEqual([]);
    for (const line of lines) auditLine.parse(JSON.parse(line));
    const written = `${lines.join('\n')}\n${server.output()}\n${await server.admin('/metrics')}`;
    for (const secret of [PASSWORD, 'PRIVATE KEY', '$scrypt$']) expect(written.includes(secret)).toBe(false);
  }, 120_000);
}
