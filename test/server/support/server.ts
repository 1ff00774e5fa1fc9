/** A real server on free loopback ports, in a folder of its own, whose audit a test can wait for. */
import { EventEmitter, once } from 'node:events';
import { appendFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from 'node:tls';
import { Client } from 'basic-ftp';
import { Chain } from '../../../server/audit/chain';
import type { Audit, ServerEvent } from '../../../server/audit/event';
import { toOcsf } from '../../../server/audit/ocsf';
import { auditLine } from '../../../server/audit/schema';
import { checkServerConfig, type ServerConfigInput } from '../../../server/config';
import { HashPool, hashThreads } from '../../../server/identity/hashing/pool';
import { OwnBusyness } from '../../../server/limits/busyness';
import { LocalLimits } from '../../../server/limits/local-limits';
import { type RunningServer, startServer } from '../../../server/main';
import { TestAuthority } from './authority';
import { sharedThreads } from './hash-threads';
import { ocsfProblems } from './ocsf';
import { quickHash } from './quick-hash';
import { secret, wrote } from './written';

export const PASSWORD = secret('correct horse "battery" -x staple');

/** Keeps every event, holds each against the schema of the lines, and lets a test wait for one. */
export class AuditRecorder extends EventEmitter implements Audit {
  readonly events: ServerEvent[] = [];
  failed = false;

  private readonly chain = new Chain();

  record(event: ServerEvent): void {
    const line = toOcsf(event, { time: Date.now(), sequence: this.events.length + 1, productVersion: '0' });
    auditLine.parse(line);
    wrote(JSON.stringify(line));
    const problems = ocsfProblems(line);
    if (problems.length > 0) throw new Error(`${event.kind} is no line of OCSF: ${problems.join('; ')}`);
    this.keep(event, this.chain.link(line));
    this.events.push(event);
    this.emit('event');
  }

  /** The lines of a whole test run can be kept, to be counted and queried: see test/system/logs. */
  private keep(event: ServerEvent, line: string): void {
    const folder = process.env['CDK_FTPS_KEEP_AUDIT'];
    if (folder) appendFileSync(join(folder, `${this.chain.id}.jsonl`), `${JSON.stringify(event)}\n${line}\n`);
  }

  of<Kind extends ServerEvent['kind']>(kind: Kind): Extract<ServerEvent, { kind: Kind }>[] {
    return this.events.filter((event): event is Extract<ServerEvent, { kind: Kind }> => event.kind === kind);
  }

  /** The first event that fits, also one that has been recorded before. */
  async next<Kind extends ServerEvent['kind']>(
    kind: Kind,
    fits: (event: Extract<ServerEvent, { kind: Kind }>) => boolean = () => true,
  ): Promise<Extract<ServerEvent, { kind: Kind }>> {
    for (;;) {
      const found = this.of(kind).find(fits);
      if (found) return found;
      await once(this, 'event', { signal: AbortSignal.timeout(10_000) });
    }
  }

  async flush(): Promise<void> {}
  async close(): Promise<void> {}
}

export interface TestAccount {
  readonly user: string;
  readonly [rule: string]: unknown;
}

export interface TestServer {
  readonly folder: string;
  readonly files: string;
  readonly audit: AuditRecorder;
  readonly server: RunningServer;
  readonly authority: TestAuthority;
  readonly explicit: number;
  readonly implicit: number;
  close(): Promise<void>;
  /** A logged-in basic-ftp client. */
  client(mode?: 'explicit' | 'implicit', options?: ConnectionOptions, user?: string): Promise<Client>;
}

/** Settings that differ from the test server's own; of `tls`, what is not named stays. */
export type Overrides = Omit<Partial<ServerConfigInput>, 'tls'> & { readonly tls?: Partial<ServerConfigInput['tls']> };

export async function testServer({ tls, ...overrides }: Overrides = {}, accounts: readonly TestAccount[] = [{ user: 'demo' }]): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'ftps-test-'));
  const authority = await TestAuthority.create();
  const issued = await authority.issue();
  await writeFile(join(folder, 'server.pem'), issued.certificate);
  await writeFile(join(folder, 'server.key'), issued.key);
  const passwordHash = quickHash(PASSWORD);
  await writeFile(join(folder, 'accounts.json'), JSON.stringify({ accounts: accounts.map((account) => ({ passwordHash, ...account })) }));
  const files = join(folder, 'files');
  const config = checkServerConfig({
    listeners: [
      { mode: 'explicit', host: '127.0.0.1', port: 0 },
      { mode: 'implicit', host: '127.0.0.1', port: 0 },
    ],
    passive: { ports: 'any:4', connectSeconds: 5 },
    tls: { certificates: [{ kind: 'file', certificate: join(folder, 'server.pem'), key: join(folder, 'server.key') }], ...tls },
    storage: { kind: 'local', root: files, fsync: false },
    identity: [{ kind: 'file', file: join(folder, 'accounts.json') }],
    ...overrides,
  });
  const audit = new AuditRecorder();
  const busyness = new OwnBusyness();
  const passwords = new HashPool(config, { busyness, threads: sharedThreads(hashThreads(config.passwords)) });
  const server = await startServer(config, { audit, limits: new LocalLimits(config.limits), busyness, passwords });
  const port = (mode: string) => server.listeners.find((listener) => listener.mode === mode)?.port ?? 0;
  const clients: Client[] = [];
  return {
    folder,
    files,
    audit,
    server,
    authority,
    explicit: port('explicit'),
    implicit: port('implicit'),
    async client(mode = 'explicit', options = {}, user = 'demo') {
      const client = new Client(10_000);
      clients.push(client);
      await client.access({
        host: 'localhost',
        port: port(mode),
        user,
        password: PASSWORD,
        secure: mode === 'implicit' ? 'implicit' : true,
        secureOptions: { ca: authority.pem, host: 'localhost', ...options },
      });
      return client;
    },
    async close() {
      for (const client of clients) client.close();
      await server.drain();
      await passwords.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** A control connection in a test's own hands: lines out, whole replies in. */
export class RawClient {
  private text = '';
  private readonly arrived = new EventEmitter();
  private ended = false;

  private constructor(public socket: Socket | TLSSocket) {
    this.listen();
  }

  static async explicit({ explicit }: Pick<TestServer, 'explicit'>): Promise<RawClient> {
    const socket = connectTcp(explicit, '127.0.0.1');
    await once(socket, 'connect');
    return new RawClient(socket);
  }

  /** Connects, upgrades and logs in. */
  static async loggedIn(server: TestServer, options: ConnectionOptions = {}, user = 'demo'): Promise<RawClient> {
    const client = await RawClient.explicit(server);
    await client.reply();
    await client.upgrade(server, options);
    await client.send(`USER ${user}`);
    const reply = await client.send(`PASS ${PASSWORD}`);
    if (!reply.startsWith('230')) throw new Error(reply);
    await client.send('PBSZ 0');
    await client.send('PROT P');
    return client;
  }

  async upgrade({ authority }: Pick<TestServer, 'authority'>, options: ConnectionOptions = {}): Promise<void> {
    const reply = await this.send('AUTH TLS');
    if (!reply.startsWith('234')) throw new Error(reply);
    await this.startTls({ authority }, options);
  }

  /** The client's side of a handshake that was agreed on. */
  async startTls({ authority }: Pick<TestServer, 'authority'>, options: ConnectionOptions = {}): Promise<void> {
    this.socket.removeAllListeners('data');
    const tls = connectTls({ socket: this.socket, ca: authority.pem, servername: 'localhost', ...options });
    this.socket = tls;
    this.listen();
    await once(tls, 'secureConnect');
  }

  write(bytes: string | Buffer): void {
    this.socket.write(bytes);
  }

  /** Sends a command and answers with its whole reply. */
  async send(line: string): Promise<string> {
    this.write(`${line}\r\n`);
    return this.reply();
  }

  /** The next whole reply, of one line or several. */
  async reply(): Promise<string> {
    for (;;) {
      const match = /^(?:(\d{3})-[\s\S]*?\r\n\1 [^\r\n]*|\d{3} [^\r\n]*)\r\n/.exec(this.text);
      if (match) {
        this.text = this.text.slice(match[0].length);
        return match[0].trimEnd();
      }
      if (this.ended) throw new Error(`the connection ended; what came was ${JSON.stringify(this.text)}`);
      await once(this.arrived, 'change', { signal: AbortSignal.timeout(10_000) });
    }
  }

  /** Everything that comes until the server closes. */
  async rest(): Promise<string> {
    while (!this.ended) await once(this.arrived, 'change', { signal: AbortSignal.timeout(10_000) });
    return this.text;
  }

  /** The port of an EPSV reply. */
  async epsv(): Promise<number> {
    return Number(/\|\|\|(\d+)\|/.exec(await this.send('EPSV'))![1]);
  }

  /** An encrypted data connection; resumes the control connection's session unless told otherwise. */
  async data(server: Pick<TestServer, 'authority'>, port: number, options: ConnectionOptions = {}): Promise<TLSSocket> {
    const socket = connectTls({ host: '127.0.0.1', port, ca: server.authority.pem, servername: 'localhost', session: this.session, ...options });
    await once(socket, 'secureConnect');
    return socket;
  }

  /** The session that this client would resume. */
  session: Buffer | undefined;

  close(): void {
    this.socket.destroy();
  }

  private listen(): void {
    const change = () => this.arrived.emit('change');
    this.socket.on('data', (chunk: Buffer) => {
      this.text += chunk.toString();
      if (this.text.length < 100_000) wrote(chunk.toString());
      change();
    });
    this.socket.on('session', (session: Buffer) => {
      this.session = session;
    });
    this.socket.on('error', () => {});
    this.socket.on('close', () => {
      this.ended = true;
      change();
    });
  }
}

/** Everything that a data connection brings, until its end. */
export async function readAll(socket: TLSSocket): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
