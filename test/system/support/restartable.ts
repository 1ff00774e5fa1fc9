/** The built server with what a test overrides of its settings, which can be killed and started again in the same place. */
import { spawn } from 'node:child_process';
import { pbkdf2Sync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'basic-ftp';
import type { AuditLine } from '../../../server/audit/schema';
import type { ServerConfigInput } from '../../../server/config';
import { TestAuthority } from '../../server/support/authority';
import { needRoom } from './room';
import { appears, BUNDLE, PASSWORD, SERVER_BYTES, USER } from './served';

/** A hash that costs next to nothing: hundreds of logins at what an honest one costs would be most of a test. */
export function cheapHash(password: string): string {
  const [salt, iterations] = [randomBytes(16), 1000];
  const [saltText, key] = [salt, pbkdf2Sync(password, salt, iterations, 32, 'sha256')].map((bytes) => bytes.toString('base64').replaceAll('=', ''));
  return `$pbkdf2-sha256$i=${iterations}$${saltText}$${key}`;
}

export interface RestartableServer {
  readonly folder: string;
  /** Root of the files, where the storage is local. */
  readonly files: string;
  readonly config: string;
  readonly ca: string;
  readonly port: number;
  readonly pid: number;
  audit(): AuditLine[];
  /** The most memory that the server ever had, in MiB. */
  peakMemory(): number;
  /** Starts the server again, after `kill`. */
  start(): Promise<void>;
  /** As a crash would end it. */
  kill(): Promise<void>;
  stop(): Promise<number>;
}

export async function serveRestartable(
  overrides: (files: string) => Partial<ServerConfigInput>,
  account: Record<string, unknown> = {},
): Promise<RestartableServer> {
  needRoom(tmpdir(), SERVER_BYTES);
  const folder = mkdtempSync(join(tmpdir(), 'ftps-system-'));
  const at = (name: string) => join(folder, name);
  mkdirSync(at('files'));
  const authority = await TestAuthority.create();
  const { certificate, key } = await authority.issue();
  writeFileSync(at('ca.pem'), authority.pem);
  writeFileSync(at('server.pem'), certificate);
  writeFileSync(at('server.key'), key, { mode: 0o600 });
  writeFileSync(at('accounts.json'), JSON.stringify({ accounts: [{ user: USER, passwordHash: cheapHash(PASSWORD), ...account }] }));
  const config: ServerConfigInput = {
    listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0 }],
    passive: { ports: 'any:4' },
    tls: { certificates: [{ kind: 'file', certificate: at('server.pem'), key: at('server.key') }] },
    storage: { kind: 'local', root: at('files') },
    identity: [{ kind: 'file', file: at('accounts.json') }],
    audit: { destination: at('audit.json') },
    ...overrides(at('files')),
  };
  writeFileSync(at('server.json'), JSON.stringify(config));
  let port = 0;
  let child: ReturnType<typeof spawn>;
  /** It may have ended by itself. */
  const ended = async (signal: NodeJS.Signals) => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  };
  const server: RestartableServer = {
    folder,
    files: at('files'),
    config: at('server.json'),
    ca: at('ca.pem'),
    get port() {
      return port;
    },
    get pid() {
      return child.pid!;
    },
    audit: () =>
      readFileSync(at('audit.json'), 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line)),
    peakMemory: () => Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))![1]) / 1024,
    async start() {
      rmSync(at('ready.json'), { force: true });
      child = spawn(process.execPath, [BUNDLE, 'serve', '--config', at('server.json'), '--ready-file', at('ready.json')], {
        stdio: ['ignore', 'inherit', 'pipe'],
        env: process.env, // what the test has set, credentials for example
      });
      let errors = '';
      child.stderr?.on('data', (chunk) => {
        errors += chunk;
      });
      port = (await Promise.race([appears(at('ready.json'), folder), once(child, 'exit').then(() => Promise.reject(new Error(errors)))])).explicit;
    },
    async kill() {
      await ended('SIGKILL');
    },
    async stop() {
      await ended('SIGTERM');
      rmSync(folder, { recursive: true, force: true });
      return child.exitCode ?? -1;
    },
  };
  await server.start();
  return server;
}

/** The account of the server, logged in. */
export async function logIn({ port, ca }: RestartableServer, timeout = 60_000): Promise<Client> {
  const client = new Client(timeout);
  await client.access({ host: 'localhost', port, user: USER, password: PASSWORD, secure: true, secureOptions: { ca: readFileSync(ca), host: 'localhost' } });
  return client;
}
