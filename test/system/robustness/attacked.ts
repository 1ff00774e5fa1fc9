/**
 * The frame of the attacks on a protocol: each by a process of its own against the built server. Another session must go on, memory stay bounded,
 * the audit grow no faster than twice what is sent, and nothing be left behind.
 *
 * ATTACK_SECONDS  how long each attack lasts, 2 by default
 * ATTACK_P99      what the 99th percentile of another session's small request may be, in milliseconds. 50 is what it is on a machine that
 *                 does nothing else; the default of each protocol leaves room for what runs beside
 * ATTACK_WORKERS  1 by default
 */
import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { verifyChain } from '../../../server/audit/chain';
import { BYTES_OF_CONNECTION, type Cost, p99, timesUntil } from './attack';
import { leaks, type Watched } from './watched';

const SECONDS = Number(process.env.ATTACK_SECONDS ?? 2);
export const WORKERS = Number(process.env.ATTACK_WORKERS ?? 1);
const MIB = 1024 * 1024;

/** A server under attack, and somebody else who uses it meanwhile. */
export interface Scene {
  readonly server: Watched;
  readonly port: number;
  /** What an attacker who has an account needs: its password or its cookie. */
  readonly secret: string;
  /** A small request of the other session. */
  ask(): Promise<unknown>;
  /** The other session is over. */
  leave(): void;
}

export interface Bounds {
  /** What ATTACK_P99 is by default. Milliseconds. */
  readonly p99: number;
  /** What all attackers of a kind may hold of memory: sixteen connections, and what the garbage collector has not looked at yet. MiB. */
  readonly memory: number;
  /** Attacks by an account that an auditor wants to read line by line, however often it does it. */
  readonly wanted: readonly string[];
  /** Audit bytes that a connection of an account may cost beyond what it sends: its begin, its handshake, its login, its transfer, its end. */
  readonly auditOfConnection: number;
  /** Attacks after which nothing may be left. */
  readonly thorough: readonly string[];
}

/** The tests of all attacks that `attacker` (a file beside this one) knows. */
export function withstands(attacker: string, open: () => Promise<Scene>, bounds: Bounds): void {
  const file = join(__dirname, attacker);
  const attacks = JSON.parse(execFileSync(process.execPath, [file, 'list', '0', '0'], { encoding: 'utf8' })) as Record<'strangers' | 'accounts', string[]>;
  const longestP99 = Number(process.env.ATTACK_P99 ?? bounds.p99);
  let scene: Scene;
  beforeAll(async () => {
    scene = await open();
  });
  afterAll(async () => {
    scene?.leave();
    await scene?.server.stop();
  });

  async function attack(name: string): Promise<Cost> {
    const { stdout } = await promisify(execFile)(process.execPath, [file, name, String(scene.port), String(SECONDS), scene.secret], {
      timeout: (SECONDS + 60) * 1000,
    });
    const { bytes, connections } = JSON.parse(stdout) as Cost;
    return { connections, bytes: bytes + connections * BYTES_OF_CONNECTION };
  }

  it.each([...attacks.strangers, ...attacks.accounts])(
    '%s',
    async (name) => {
      const { server } = scene;
      await quiet(server);
      const before = { audit: auditBytes(server), memory: resident(server) };
      let peak = before.memory;
      const watching = setInterval(() => {
        peak = Math.max(peak, resident(server));
      }, 100);
      const attacking = attack(name);
      const times = await timesUntil(attacking, () => scene.ask()).finally(() => clearInterval(watching));
      const { bytes, connections } = await attacking;
      const grown = auditBytes(server) - before.audit;
      const told = {
        name,
        kib: Math.round(bytes / 1024),
        connections,
        requests: times.length,
        p99: Math.round(p99(times)),
        longest: Math.round(times.at(-1)!),
        mib: Math.round((peak - before.memory) / MIB),
        auditPerByte: Number((grown / bytes).toFixed(3)),
      };
      process.stdout.write(`${attacker}: ${JSON.stringify(told)}\n`);
      expect(server.crashed()).toBe(false);
      expect(connections).toBeGreaterThan(0);
      expect(told.p99).toBeLessThanOrEqual(longestP99);
      expect(peak - before.memory).toBeLessThan(bounds.memory * MIB);
      // What an address has at once is no rate: 60 lines of less than 1,000 bytes, in each worker.
      const ofAccounts = attacks.accounts.includes(name) ? connections * bounds.auditOfConnection : 0;
      if (!bounds.wanted.includes(name)) expect(grown).toBeLessThanOrEqual(2 * bytes + WORKERS * 60_000 + ofAccounts);
    },
    (SECONDS + 150) * 1000,
  );

  it('has left nothing behind: no session, no handle, nothing staged, no memory; the audit is whole', async () => {
    const { server } = scene;
    scene.leave();
    await server.idle();
    const before = await server.measure();
    for (const name of bounds.thorough) await attack(name);
    await server.idle();
    let leaked: string[] = [];
    for (let patience = 20; patience > 0; patience -= 1) {
      leaked = leaks(before, await server.measure(), { memory: 16 * MIB });
      if (leaked.length === 0) break;
      await new Promise((resolve) => setTimeout(resolve, 1_000));
    }
    expect(leaked).toEqual([]);
    expect(server.warnings()).toEqual([]);
    const staged = readdirSync(server.files, { recursive: true }).filter((name) => /\.ftps-staging\/[^/]+\/./.test(String(name)));
    expect(staged).toEqual([]);
    const lines = auditFiles(server)
      .sort()
      .flatMap((path) => readFileSync(path, 'utf8').split('\n'));
    expect((await verifyChain(lines)).breaks).toEqual([]);
  }, 300_000);
}

/** What attackers ask for: a small file, a large one, a folder with many names. */
export function fill({ files }: Watched): void {
  writeFileSync(join(files, 'small'), 'a small file');
  writeFileSync(join(files, 'huge'), '');
  truncateSync(join(files, 'huge'), 1024 * MIB);
  mkdirSync(join(files, 'many'));
  for (let one = 0; one < 5_000; one += 1) writeFileSync(join(files, 'many', `entry-${one}`), '');
}

function auditFiles(server: Watched): string[] {
  const folder = dirname(server.auditFile);
  return readdirSync(folder)
    .filter((name) => name.startsWith('audit'))
    .map((name) => join(folder, name));
}

function auditBytes(server: Watched): number {
  return auditFiles(server).reduce((sum, path) => sum + statSync(path).size, 0);
}

/** What the attack before has left to do is done: it is not this one's. */
async function quiet(server: Watched): Promise<void> {
  const deadline = Date.now() + 60_000;
  for (let [last, now] = [-1, auditBytes(server)]; now > last && Date.now() < deadline; now = auditBytes(server)) {
    last = now;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

/** Resident memory of the server and its workers. Bytes. */
function resident({ pid }: Watched): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean);
  return [pid, ...children].reduce<number>((sum, one) => sum + Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${one}/status`, 'utf8'))![1]) * 1024, 0);
}
