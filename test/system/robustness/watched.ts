/** The built server in a process of its own, watched from outside and measured from within. */
import { type ChildProcess, spawn } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { ServerConfigInput } from '../../../server/config';
import { TestAuthority } from '../../server/support/authority';
import { quickHash } from '../../server/support/quick-hash';
import { BUNDLE } from '../support/served';

export const PASSWORD = 'the-Password_of+this=run';

export interface Measure {
  readonly heapUsed: number;
  readonly arrayBuffers: number;
  readonly external: number;
  readonly rss: number;
  /** What keeps the event loop alive, by kind: sockets, timers, requests to the file system. */
  readonly resources: Readonly<Record<string, number>>;
  /** Open descriptors by what they are: sockets, pipes, and files by their path. */
  readonly descriptors: Readonly<Record<string, number>>;
}

export interface Watched {
  readonly folder: string;
  readonly files: string;
  readonly authority: TestAuthority;
  readonly auditFile: string;
  readonly pid: number;
  readonly ports: {
    readonly explicit: number;
    readonly implicit: number;
    readonly proxied: number;
    readonly sftp: number;
    /** Of HTTPS, where it is on. */
    readonly https: number;
    readonly passive: readonly number[];
  };
  /** Whether it has ended by itself. */
  readonly crashed: () => boolean;
  /** Everything on standard output and standard error. */
  readonly output: () => string;
  /** Warnings of Node.js: rejections that nobody handled, descriptors that were left to the garbage collector, listeners that pile up. */
  readonly warnings: () => readonly string[];
  admin(path: string): Promise<string>;
  /** Fulfilled when the last session is gone; rejected after a minute. */
  idle(): Promise<void>;
  measure(): Promise<Measure>;
  stop(): Promise<number>;
  /** The audit, once the server has stopped: what was counted is told by then. */
  audited(): string;
}

/**
 * Where the server's files lie: in memory, where there is room. A disk on which other tests build images can stand still for longer than a
 * client of these tests waits, and that would be told as the server's hang.
 */
function inMemory(): string {
  const memory = '/dev/shm';
  if (!existsSync(memory)) return tmpdir();
  const { bavail, bsize } = statfsSync(memory);
  return bavail * bsize > 4 * 1024 ** 3 ? memory : tmpdir();
}

/** `sftp`: what its block has beyond port and host keys. `accounts`: others than the one of these tests. */
export async function watched(
  { sftp: ofSftp, ...overrides }: Partial<Omit<ServerConfigInput, 'sftp'>> & { readonly sftp?: Partial<ServerConfigInput['sftp']> } = {},
  accounts?: readonly object[],
): Promise<Watched> {
  const folder = mkdtempSync(join(inMemory(), 'ftps-robust-'));
  const files = join(folder, 'files');
  mkdirSync(files);
  const authority = await TestAuthority.create();
  const issued = await authority.issue();
  writeFileSync(join(folder, 'ca.pem'), authority.pem);
  writeFileSync(join(folder, 'server.pem'), issued.certificate);
  writeFileSync(join(folder, 'server.key'), issued.key, { mode: 0o600 });
  // An RSA key too: its signatures are the dearest.
  const hostKeys = [generateKeyPairSync('ed25519'), generateKeyPairSync('rsa', { modulusLength: 3072 })].map(({ privateKey }, index) => {
    const file = join(folder, `host-${index}.pem`);
    writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
    return { kind: 'file' as const, file };
  });
  const passwordHash = quickHash(PASSWORD);
  writeFileSync(join(folder, 'accounts.json'), JSON.stringify({ accounts: accounts ?? [{ user: 'demo', passwordHash, admin: true }] }));
  const auditFile = join(folder, 'audit.json');
  const config: ServerConfigInput = {
    listeners: [
      { mode: 'explicit', host: '127.0.0.1', port: 0 },
      { mode: 'implicit', host: '127.0.0.1', port: 0 },
      { mode: 'explicit', host: '127.0.0.1', port: 0, proxyProtocolFrom: ['127.0.0.0/8'] },
    ],
    sftp: { host: '127.0.0.1', port: 0, hostKeys, handshakeSeconds: 8, scp: true, ...ofSftp },
    passive: { ports: 'any:16', connectSeconds: 1 },
    tls: { handshakeSeconds: 8, certificates: [{ kind: 'file', certificate: join(folder, 'server.pem'), key: join(folder, 'server.key') }] },
    storage: { kind: 'local', root: files, fsync: false },
    identity: [{ kind: 'file', file: join(folder, 'accounts.json') }],
    // The limits that would keep one address from doing what these tests do.
    limits: {
      sessionsPerAddress: 10_000,
      sessionsPerAccount: 10_000,
      strangersPerAddress: 1_000_000_000,
      connectionsPerMinutePerAddress: 1_000_000_000,
      stallSeconds: 2,
      lockout: { failuresPerAddress: 1_000_000_000, failuresPerAccount: 1_000_000_000 },
    },
    audit: { destination: auditFile },
    admin: { port: 0 },
    ...overrides,
  };
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config));
  const child: ChildProcess = spawn(
    process.execPath,
    [
      '--expose-gc',
      '--unhandled-rejections=warn',
      '--trace-warnings',
      '--require',
      join(__dirname, 'preload.cjs'),
      BUNDLE,
      'serve',
      '--config',
      join(folder, 'config.json'),
      '--ready-file',
      join(folder, 'ready.json'),
    ],
    { stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
  );
  let ended = false;
  let stopping = false;
  let audit = '';
  child.once('exit', () => {
    ended = true;
  });
  let output = '';
  const listening: { mode: string; port: number }[] = [];
  let passive: number[] = [];
  let admin = 0;
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout!, child.stderr!])
      createInterface(stream).on('line', (line) => {
        output += `${line}\n`;
        const [first, what, ...rest] = line.split(' ');
        if (first !== 'listening' || what === undefined) return;
        if (what === 'passive') passive = rest.flatMap(portsIn);
        else if (what === 'admin') {
          admin = Number(rest[1]);
          resolve();
        } else listening.push({ mode: what, port: Number(rest[1]) });
      });
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}:\n${output}`)));
  });
  const [explicit, implicit, proxied] = listening.filter(({ mode }) => mode !== 'sftp' && mode !== 'https').map(({ port }) => port) as [number, number, number];
  const [sftp, https] = ['sftp', 'https'].map((wanted) => listening.find(({ mode }) => mode === wanted)?.port ?? 0) as [number, number];
  const ask = (path: string) => askAdmin(admin, path);
  return {
    folder,
    files,
    authority,
    auditFile,
    pid: child.pid!,
    ports: { explicit, implicit, proxied, sftp, https, passive },
    crashed: () => ended && !stopping,
    output: () => output,
    warnings: () => output.match(/^\(node:\d+\).*$|^.*UnhandledPromiseRejection.*$/gm) ?? [],
    admin: ask,
    async idle() {
      const deadline = Date.now() + 60_000;
      for (;;) {
        const sessions = JSON.parse(await ask('/sessions')) as unknown[];
        if (sessions.length === 0) break;
        if (Date.now() > deadline) throw new Error(`${sessions.length} sessions are still there: ${JSON.stringify(sessions.slice(0, 3))}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    },
    async measure() {
      child.send('measure');
      const [measured] = (await once(child, 'message')) as [Omit<Measure, 'descriptors'>];
      return { ...measured, descriptors: descriptorsOf(child.pid!) };
    },
    audited: () => audit,
    async stop() {
      stopping = true;
      if (!ended) {
        const exited = once(child, 'exit');
        child.kill('SIGTERM');
        await exited;
      }
      audit = readFileSync(auditFile, 'utf8');
      rmSync(folder, { recursive: true, force: true });
      return child.exitCode ?? -1;
    },
  };
}

function portsIn(text: string): number[] {
  const [low = 0, high = low] = text.split('-').map(Number);
  return Array.from({ length: high - low + 1 }, (_, index) => low + index);
}

function askAdmin(port: number, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    // One connection each, so that none stays open to be counted.
    request({ host: '127.0.0.1', port, path, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    })
      .on('error', reject)
      .end();
  });
}

function descriptorsOf(pid: number): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of readdirSync(`/proc/${pid}/fd`)) {
    let target: string;
    try {
      target = readlinkSync(`/proc/${pid}/fd/${name}`);
    } catch {
      continue; // closed meanwhile
    }
    const kind = target.startsWith('/') ? target : target.replace(/:.*/, '');
    counts[kind] = (counts[kind] ?? 0) + 1;
  }
  return counts;
}

/** The lines of the audit. */
export function auditLines(server: Watched): string[] {
  return readFileSync(server.auditFile, 'utf8').split('\n').filter(Boolean);
}

const MIB = 1024 * 1024;

/** What one measurement has more than another, in words; empty where nothing leaks. `most`: bytes; `shared`: those of pieces that are kept for good. */
export function leaks(before: Measure, after: Measure, most: { readonly memory: number; readonly shared?: number }): string[] {
  const found: string[] = [];
  for (const kind of new Set([...Object.keys(before.descriptors), ...Object.keys(after.descriptors)])) {
    const more = (after.descriptors[kind] ?? 0) - (before.descriptors[kind] ?? 0);
    if (more > 0) found.push(`${more} descriptors of ${kind}`);
  }
  for (const kind of new Set([...Object.keys(before.resources), ...Object.keys(after.resources)])) {
    const more = (after.resources[kind] ?? 0) - (before.resources[kind] ?? 0);
    if (more > 0) found.push(`${more} of ${kind}`);
  }
  for (const kind of ['heapUsed', 'arrayBuffers', 'external'] as const) {
    const more = after[kind] - before[kind];
    if (more > most.memory + (kind === 'arrayBuffers' ? (most.shared ?? 0) : 0)) found.push(`${(more / MIB).toFixed(1)} MiB of ${kind}`);
  }
  return found;
}

export function megabytes(bytes: number): string {
  return `${(bytes / MIB).toFixed(1)} MiB`;
}
