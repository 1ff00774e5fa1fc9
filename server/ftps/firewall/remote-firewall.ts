/**
 * The server's end of the firewall's process. Openings are asked for over a Unix socket that is kept open; where it breaks,
 * it is opened again and what is still wanted is asked for anew. Without it nobody is let through.
 */
import { connect, type Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Audit } from '../../audit/event';
import type { Firewall } from './firewall';
import { type Opening, type Words, writeWords } from './words';

/** How long an opening waits for the firewall's process to be there. */
const PATIENCE_MS = 3_000;
/** How long the firewall's process may be silent while it is asked. Counted in ticks: a server that is too busy to listen sees none. */
const TICK_MS = 500;
const MOST_SILENT_TICKS = 4;
const RECONNECT_MS = 250;
/** How often the firewall is asked whether its table is still there; it makes it again where it is not. */
const HEALTH_MS = 10_000;

interface Question {
  readonly answered: () => void;
  readonly failed: (error: Error) => void;
}

export class RemoteFirewall implements Firewall {
  private socket: Socket | undefined;
  private problem: string | undefined = 'not connected yet';
  private reported: 'up' | 'down' | undefined;
  private questions: Question[] = [];
  private readonly wanted = new Map<string, Opening & { readonly until: number }>();
  private silentTicks = 0;
  private readonly health: NodeJS.Timeout;
  private readonly watch: NodeJS.Timeout;
  private retry: NodeJS.Timeout | undefined;
  private closed = false;
  private announce!: () => void;
  private connected: Promise<void> = this.expectConnection();

  private constructor(
    private readonly path: string,
    private readonly audit: Audit,
  ) {
    this.connect();
    this.health = setInterval(() => void this.ask({ word: 'health' }).then(() => this.report(), this.report), HEALTH_MS).unref();
    this.watch = setInterval(() => this.tick(), TICK_MS).unref();
  }

  /** Connects, or gives up waiting after a while and goes on trying. Never throws. */
  static async open(path: string, audit: Audit): Promise<RemoteFirewall> {
    const firewall = new RemoteFirewall(path, audit);
    await firewall.ready().catch(firewall.report);
    return firewall;
  }

  get state(): string {
    return this.problem === undefined ? 'up' : `down: ${this.problem}`;
  }

  async admit(address: string, port: number, seconds: number): Promise<void> {
    const opening = { address, port };
    this.wanted.set(keyOf(opening), { ...opening, until: Date.now() + seconds * 1000 });
    try {
      await this.ready();
      await this.ask({ word: 'admit', seconds, ...opening });
    } catch (error) {
      this.report(error as Error);
      throw error;
    }
  }

  withdraw(address: string, port: number): void {
    this.wanted.delete(keyOf({ address, port }));
    this.ask({ word: 'withdraw', address, port }).catch(() => {}); // a connection that broke has taken its openings with it
  }

  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.health);
    clearInterval(this.watch);
    clearTimeout(this.retry);
    this.socket?.destroy();
  }

  private expectConnection(): Promise<void> {
    return new Promise((resolve) => {
      this.announce = resolve;
    });
  }

  private async ready(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(this.problem ?? 'no answer')), PATIENCE_MS);
    });
    await Promise.race([this.connected, late]).finally(() => clearTimeout(timer));
  }

  private connect(): void {
    const socket = connect(this.path);
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.problem = `${this.path} can't be reached (${error.code}); is \`ftps firewall\` running, and may this user connect to it?`;
    });
    socket.once('connect', () => {
      this.socket = socket;
      createInterface({ input: socket })
        .on('line', (line) => this.hear(line))
        .on('error', () => {});
      this.resume();
    });
    socket.once('close', () => {
      if (this.socket === socket) this.lose();
      if (!this.closed) this.retry = setTimeout(() => this.connect(), RECONNECT_MS);
    });
  }

  /** Asks anew for what is still wanted, so that clients on their way find their ports open. */
  private resume(): void {
    const now = Date.now();
    const still = [...this.wanted.values()].filter(({ until }) => until > now);
    Promise.all([
      this.ask({ word: 'health' }),
      ...still.map(({ until, ...opening }) => this.ask({ word: 'admit', seconds: (until - now) / 1000, ...opening })),
    ]).then(() => {
      this.report();
      this.announce();
    }, this.report);
  }

  private lose(): void {
    this.socket = undefined;
    this.connected = this.expectConnection();
    const { questions } = this;
    this.questions = [];
    this.silentTicks = 0;
    const error = new Error('the connection to the firewall broke, or it did not answer');
    for (const { failed } of questions) failed(error);
    if (!this.closed) this.report(error);
  }

  private ask(words: Words): Promise<void> {
    return new Promise((resolve, reject) => {
      const { socket } = this;
      if (!socket) return reject(new Error(this.problem ?? 'not connected'));
      this.questions.push({ answered: resolve, failed: reject });
      socket.write(writeWords(words));
    });
  }

  /** Cuts off a firewall that was asked and says nothing. */
  private tick(): void {
    this.silentTicks = this.questions.length === 0 ? 0 : this.silentTicks + 1;
    if (this.silentTicks > MOST_SILENT_TICKS) this.socket?.destroy();
  }

  private hear(line: string): void {
    this.silentTicks = 0;
    const question = this.questions.shift();
    if (line === 'ok') question?.answered();
    else question?.failed(new Error(line.replace(/^error /, '')));
  }

  /** Notes how things stand, and tells the audit when that changed. */
  private readonly report = (error?: Error): void => {
    this.problem = error?.message;
    const state = error ? 'down' : 'up';
    if (state !== this.reported) this.audit.record({ kind: 'health', part: 'firewall', state, detail: error?.message });
    this.reported = state;
  };
}

function keyOf({ address, port }: Opening): string {
  return `${address} ${port}`;
}
