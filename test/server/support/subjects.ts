/** Two servers in processes of their own, met by the same client: this one as it is built, and ftp-srv as it comes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { TestAuthority } from './authority';
import { quickHash } from './quick-hash';
import { secret, wrote } from './written';

/** One of the two. Both know the account `demo` with either password. */
export interface Subject {
  readonly name: 'this server' | 'ftp-srv';
  readonly port: number;
  readonly folder: string;
  /** Home of the account. */
  readonly files: string;
  readonly authority: TestAuthority;
  /** Everything that the process has written: standard output, standard error, the audit. */
  written(): Promise<string>;
  readonly process: ChildProcess;
  stop(): Promise<void>;
}

/** A password without anything that a parser could stumble over, and one with all of it. */
export const PLAIN_PASSWORD = secret('simple-and-long');
export const HARD_PASSWORD = secret('correct horse "battery" -x staple');

const BUNDLE = join(__dirname, '../../../dist/image/ftps.js');

export async function thisServer(): Promise<Subject> {
  const { folder, files, authority } = await prepare();
  // Two accounts with one home stand for the two passwords of `demo`.
  await writeFile(
    join(folder, 'accounts.json'),
    JSON.stringify({
      accounts: [
        { user: 'demo', passwordHash: quickHash(PLAIN_PASSWORD) },
        { user: 'hard', passwordHash: quickHash(HARD_PASSWORD) },
      ],
    }),
  );
  await writeFile(
    join(folder, 'config.json'),
    JSON.stringify({
      listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0 }],
      passive: { ports: 'any:10', connectSeconds: 5 },
      active: { enabled: true },
      tls: { certificates: [{ kind: 'file', certificate: join(folder, 'server.pem'), key: join(folder, 'server.key') }] },
      storage: { kind: 'local', root: files, fsync: false },
      identity: [{ kind: 'file', file: join(folder, 'accounts.json') }],
      limits: { lockout: { failuresPerAddress: 1_000, failuresPerAccount: 1_000 } },
      audit: { destination: join(folder, 'audit.json') },
    }),
  );
  return start('this server', [BUNDLE, 'serve', '--config', join(folder, 'config.json')], /^listening explicit \S+ (\d+)$/, { folder, files, authority });
}

export async function plainFtpSrv(): Promise<Subject> {
  const prepared = await prepare();
  await writeFile(join(prepared.folder, 'passwords.json'), JSON.stringify([PLAIN_PASSWORD, HARD_PASSWORD]));
  return start('ftp-srv', [join(__dirname, 'plain-ftp-srv.cjs'), prepared.folder], /^ready (\d+)$/, prepared);
}

type Prepared = Pick<Subject, 'folder' | 'files' | 'authority'>;

async function prepare(): Promise<Prepared> {
  const folder = await mkdtemp(join(tmpdir(), 'ftps-beside-'));
  const files = join(folder, 'files');
  await mkdir(files);
  const authority = await TestAuthority.create();
  const issued = await authority.issue();
  await writeFile(join(folder, 'server.pem'), issued.certificate);
  await writeFile(join(folder, 'server.key'), issued.key);
  return { folder, files, authority };
}

async function start(name: Subject['name'], args: readonly string[], ready: RegExp, prepared: Prepared): Promise<Subject> {
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  const port = await new Promise<number>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      createInterface(stream).on('line', (line) => {
        output += `${line}\n`;
        if (name === 'this server') wrote(line);
        const match = ready.exec(line);
        if (match) resolve(Number(match[1]));
      });
    child.once('exit', () => reject(new Error(`${name} ended: ${output}`)));
  });
  return {
    ...prepared,
    name,
    port,
    process: child,
    written: async () => output + (await readFile(join(prepared.folder, 'audit.json'), 'utf8').catch(() => '')),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      await rm(prepared.folder, { recursive: true, force: true });
    },
  };
}
