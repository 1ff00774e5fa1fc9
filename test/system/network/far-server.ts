/** The built server on a host of the test's network: a user without privileges, a certificate for every name it is reached by, and its firewall. */
import type { ChildProcess } from 'node:child_process';
import { randomBytes, scryptSync } from 'node:crypto';
import { once } from 'node:events';
import { chmodSync, chownSync, copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { AuditLine } from '../../../server/audit/schema';
import type { ServerConfigInput } from '../../../server/config';
import { TestAuthority } from '../../server/support/authority';
import { BUNDLE, PASSWORD, USER } from '../support/served';
import type { Host } from './hosts';

export const EXPLICIT = 2121;
export const IMPLICIT = 2990;

/** Numbers of users that exist nowhere: the server's, and its firewall's in the same group. */
const SERVER = 64_001;
const FIREWALL = 64_002;

export class FarServer {
  readonly folder = mkdtempSync(join(tmpdir(), 'ftps-network-'));
  readonly files = join(this.folder, 'files');
  readonly ca = join(this.folder, 'ca.pem');
  readonly socket = join(this.folder, 'run', 'socket');
  private readonly bundle = join(this.folder, 'ftps.js');
  private readonly config = join(this.folder, 'server.json');
  private server: ChildProcess | undefined;
  private firewall: ChildProcess | undefined;
  /** What the two processes say on standard error. */
  said = '';

  private constructor(private readonly host: Host) {}

  /** Prepares everything and starts nothing. */
  static async prepare(host: Host, names: readonly string[], settings: Partial<ServerConfigInput> = {}): Promise<FarServer> {
    const far = new FarServer(host);
    const authority = await TestAuthority.create();
    const { certificate, key } = await authority.issue({ names });
    mkdirSync(far.files);
    mkdirSync(join(far.folder, 'run'));
    copyFileSync(BUNDLE, far.bundle);
    writeFileSync(far.ca, authority.pem);
    writeFileSync(join(far.folder, 'server.pem'), certificate);
    writeFileSync(join(far.folder, 'server.key'), key);
    // A hash that is quick to check: hundreds of sessions log in.
    const salt = randomBytes(16);
    const passwordHash = `$scrypt$ln=4,r=8,p=1$${salt.toString('base64')}$${scryptSync(PASSWORD, salt, 32, { N: 16, r: 8, p: 1 }).toString('base64')}`;
    writeFileSync(join(far.folder, 'accounts.json'), JSON.stringify({ accounts: [{ user: USER, passwordHash, maxSessions: 1_000 }] }));
    const config: ServerConfigInput = {
      listeners: [
        { mode: 'explicit', port: EXPLICIT },
        { mode: 'implicit', port: IMPLICIT },
      ],
      passive: { ports: '50000-50015' },
      firewall: { mode: 'nftables', socket: far.socket },
      tls: { certificates: [{ kind: 'file', certificate: join(far.folder, 'server.pem'), key: join(far.folder, 'server.key') }] },
      storage: { kind: 'local', root: far.files, fsync: false },
      identity: [{ kind: 'file', file: join(far.folder, 'accounts.json') }],
      limits: { sessionsPerAddress: 1_000, sessionsPerAccount: 1_000 },
      audit: { destination: join(far.folder, 'audit.json') },
      admin: { port: 9990 },
      ...settings,
    };
    writeFileSync(far.config, JSON.stringify(config));
    for (const path of ['', 'files', 'server.pem', 'server.key', 'accounts.json']) chownSync(join(far.folder, path), SERVER, SERVER);
    chownSync(join(far.folder, 'run'), FIREWALL, SERVER);
    chmodSync(far.folder, 0o755);
    return far;
  }

  /** Starts the firewall's process; fulfilled when the ports are closed. */
  async startFirewall(capabilities = '+net_admin'): Promise<void> {
    this.firewall = this.start(FIREWALL, capabilities, 'firewall', '--config', this.config);
    await this.says(/passive ports .* are closed/, this.firewall);
  }

  /** Starts the server, by default without a single capability; fulfilled when everything is open. */
  async startServer(capabilities = ''): Promise<void> {
    const ready = join(this.folder, 'ready.json');
    rmSync(ready, { force: true });
    this.server = this.start(SERVER, capabilities, 'serve', '--config', this.config, '--ready-file', ready);
    await Promise.race([appears(ready, this.folder), once(this.server, 'exit').then(() => Promise.reject(new Error(this.said)))]);
  }

  /** What the kernel lets a process do, as a mask (CAP_NET_ADMIN is 0x1000). */
  capabilities(which: 'server' | 'firewall'): number {
    return Number(`0x${/CapEff:\s*(\w+)/.exec(readFileSync(`/proc/${this[which]!.pid}/status`, 'utf8'))?.[1]}`);
  }

  /** Ends the `nft` that the firewall's process keeps open. */
  crashNft(): void {
    const { pid } = this.firewall!;
    const [child] = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
    process.kill(Number(child), 'SIGKILL');
  }

  /** Ends a process as a crash would. */
  async crash(which: 'server' | 'firewall'): Promise<void> {
    const child = this[which]!;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  /** The CA's certificate. */
  get caPem(): string {
    return readFileSync(this.ca, 'utf8');
  }

  /** What the administrator is told. */
  async health(): Promise<{ status: string; parts: Record<string, string> }> {
    return JSON.parse((await this.host.run('curl', ['-sS', 'http://127.0.0.1:9990/health'])).output);
  }

  audit(): AuditLine[] {
    return readFileSync(join(this.folder, 'audit.json'), 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line));
  }

  /** Waits for a line of the audit. */
  async audited(fits: (line: AuditLine) => boolean): Promise<AuditLine> {
    const file = join(this.folder, 'audit.json');
    for (;;) {
      const changed = new Promise<void>((resolve) => {
        const watcher = watch(file, () => {
          watcher.close();
          resolve();
        });
      });
      const found = this.audit().find(fits);
      if (found) return found;
      await changed;
    }
  }

  async stop(): Promise<void> {
    for (const child of [this.server, this.firewall]) {
      if (!child || child.exitCode !== null || child.signalCode !== null) continue;
      const exited = once(child, 'exit');
      child.kill('SIGTERM');
      await exited;
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  private start(user: number, capabilities: string, ...args: string[]): ChildProcess {
    const caps = capabilities === '' ? '-all' : `-all,${capabilities}`;
    const child = this.host.start(
      'setpriv',
      [
        `--reuid=${user}`,
        `--regid=${SERVER}`,
        '--clear-groups',
        '--no-new-privs',
        `--bounding-set=${caps}`,
        `--inh-caps=${caps}`,
        `--ambient-caps=${caps}`,
        process.execPath,
        this.bundle,
        ...args,
      ],
      { stdio: ['ignore', 'inherit', 'pipe'], cwd: this.folder },
    );
    child.stderr?.on('data', (chunk) => {
      this.said += chunk;
    });
    return child;
  }

  private async says(text: RegExp, child: ChildProcess): Promise<void> {
    const from = this.said.length;
    const exited = once(child, 'exit').then(() => Promise.reject(new Error(`it ended: ${this.said}`)));
    exited.catch(() => {}); // later on an end is no failure
    while (!text.test(this.said.slice(from))) await Promise.race([once(child.stderr!, 'data'), exited]);
  }
}

function appears(file: string, folder: string): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (!existsSync(file)) return;
      watcher.close();
      resolve();
    };
    const watcher = watch(folder, look);
    look();
  });
}

/** Starts a script of this folder on a host, and talks with it in lines of JSON. */
export class Script {
  private readonly child: ChildProcess;
  private readonly lines: AsyncIterator<string>;

  constructor(host: Host, name: string, ...args: string[]) {
    this.child = host.start(process.execPath, [join(__dirname, name), ...args], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.lines = createInterface({ input: this.child.stdout! })[Symbol.asyncIterator]();
  }

  tell(question: unknown): void {
    this.child.stdin?.write(`${JSON.stringify(question)}\n`);
  }

  /** The next line it writes. */
  async hear<Answer>(): Promise<Answer> {
    const { value, done } = await this.lines.next();
    if (done) throw new Error('the script ended');
    return JSON.parse(value);
  }

  async ask<Answer>(question: unknown): Promise<Answer> {
    this.tell(question);
    return this.hear();
  }

  async end(): Promise<void> {
    if (this.child.exitCode !== null) return;
    const exited = once(this.child, 'exit');
    this.child.stdin?.end();
    await exited;
  }
}
