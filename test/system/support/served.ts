/** The built server as its users run it: `ftps serve` in a process of its own, on free ports. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AuditLine } from '../../../server/audit/schema';
import { needRoom } from './room';

export const BUNDLE = join(__dirname, '../../../dist/image/ftps.js');
export const USER = 'partner';
export const PASSWORD = 'Tr0ub4dor&3 with "quotes"';

/** What a server's settings, certificate and audit take at most, without files. Bytes. */
export const SERVER_BYTES = 16 * 1024 * 1024;

export interface ServedProcess {
  readonly folder: string;
  readonly files: string;
  readonly ca: string;
  readonly explicit: number;
  readonly implicit: number;
  /** Port of SFTP, where it is on. */
  readonly sftp: number | undefined;
  /** Port of HTTPS, where it is on. */
  readonly https: number | undefined;
  readonly passive: readonly number[];
  readonly pid: number;
  /** Port of the admin interface, where one was asked for. */
  readonly admin: number | undefined;
  readonly auditFile: string;
  audit(): AuditLine[];
  /** Fulfilled with the exit code, also where it ends by itself. */
  readonly exited: Promise<number>;
  stop(): Promise<number>;
}

/** With the flags of a laptop: one account, a certificate of the local CA. */
export async function serveProcess(...flags: string[]): Promise<ServedProcess> {
  return serveIn(async ({ folder, files, audit }) => {
    writeFileSync(join(folder, 'password'), `${PASSWORD}\n`, { mode: 0o600 });
    const account = ['--user', USER, '--password-file', join(folder, 'password'), '--state', folder, '--root', files];
    return [...account, '--explicit-port', '0', '--implicit-port', '0', '--passive-ports', '0-0', '--audit', audit, ...flags];
  });
}

/** With a configuration; storage and audit are filled in, and `ca` stays empty. */
export async function serveConfigured(config: object, env: NodeJS.ProcessEnv = process.env): Promise<ServedProcess> {
  return serveIn(async ({ folder, files, audit }) => {
    const file = join(folder, 'config.json');
    writeFileSync(file, JSON.stringify({ storage: { kind: 'local', root: files }, audit: { destination: audit }, ...config }));
    return ['--config', file];
  }, env);
}

interface Place {
  readonly folder: string;
  readonly files: string;
  readonly audit: string;
}

async function serveIn(flagsFor: (place: Place) => Promise<readonly string[]>, env = process.env): Promise<ServedProcess> {
  needRoom(tmpdir(), SERVER_BYTES);
  const folder = mkdtempSync(join(tmpdir(), 'ftps-system-'));
  const place = { folder, files: join(folder, 'files'), audit: join(folder, 'audit.json') };
  mkdirSync(place.files);
  const readyFile = join(folder, 'ready.json');
  const server = spawn(process.execPath, [BUNDLE, 'serve', ...(await flagsFor(place)), '--ready-file', readyFile], {
    stdio: ['ignore', 'inherit', 'pipe'],
    env,
  });
  let errors = '';
  server.stderr?.on('data', (chunk) => {
    errors += chunk;
  });
  const exited = once(server, 'exit').then(([code]) => code as number);
  const ready = await Promise.race([appears(readyFile, folder), exited.then(() => Promise.reject(new Error(errors)))]);
  return {
    ...ready,
    folder,
    files: place.files,
    pid: server.pid!,
    admin: ready.admin,
    sftp: ready.sftp,
    https: ready.https,
    auditFile: place.audit,
    exited,
    audit: () =>
      readFileSync(place.audit, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    async stop() {
      server.kill('SIGTERM');
      const code = await exited;
      rmSync(folder, { recursive: true, force: true });
      return code;
    },
  };
}

export function appears(
  file: string,
  folder: string,
): Promise<Pick<ServedProcess, 'ca' | 'explicit' | 'implicit' | 'passive'> & { readonly admin?: number; readonly sftp?: number; readonly https?: number }> {
  return new Promise((resolve) => {
    const look = () => {
      try {
        const content = JSON.parse(readFileSync(file, 'utf8'));
        watcher.close();
        resolve(content);
      } catch {
        // not there yet, or not whole yet: the watcher calls again
      }
    };
    const watcher = watch(folder, look);
    look();
  });
}

export interface Ran {
  readonly code: number;
  readonly output: string;
}

/** Runs a program to its end; standard output and error together. */
export async function run(program: string, args: readonly string[], input?: string | Buffer): Promise<Ran> {
  const child: ChildProcess = spawn(program, args, { stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'], timeout: 240_000 });
  const chunks: Buffer[] = [];
  child.stdout?.on('data', (chunk) => chunks.push(chunk));
  child.stderr?.on('data', (chunk) => chunks.push(chunk));
  child.stdin?.on('error', () => {}); // a program may end before it has read everything
  child.stdin?.end(input);
  const [code] = await once(child, 'close');
  return { code: code as number, output: Buffer.concat(chunks).toString() };
}
