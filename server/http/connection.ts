/** One connection of HTTP from the first byte to the last, whatever is spoken over it: the handshake, then one request behind the other. */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Audit, SessionFacts } from '../audit/event';
import type { ServerConfig } from '../config';
import type { Progress } from '../files/progress';
import type { ClientCertificate } from '../identity/identity';
import type { Limits } from '../limits/limits';
import type { Newcomers } from '../limits/newcomers';
import { Slice } from '../limits/slice';
import type { BegunSession, Origin } from '../sessions/listener';
import { RunningTransfers } from '../sessions/running-transfers';
import type { CloseReason, RunningTransfer } from '../sessions/session';
import { acceptTls } from '../tls/accept';
import type { ServerCertificates } from '../tls/certificates';
import { clientCertificate, tlsFacts } from '../tls/facts';
import { peekClientHello } from '../tls/peek';
import { Body } from './body';
import type { HttpCaller, HttpExchange } from './exchange';
import { BadRequest, type Head, LONGEST_HEAD, parseHead } from './head';
import { Disconnected, Inflow } from './inflow';
import { PROBLEM_TYPE, problemText } from './problem';
import { Reply } from './reply';

/** How long a client that was told to go, and still sends, is listened to: cut off at once, it might never read why. */
const LINGER_MS = 2_000;

/** What every connection works with; one set for a process. */
export interface HttpEngine {
  readonly config: Pick<ServerConfig, 'limits' | 'tls'>;
  readonly audit: Audit;
  readonly limits: Limits;
  /** The turns of those who have not logged in. */
  readonly newcomers: Newcomers;
  readonly certificates: ServerCertificates;
}

/** What is spoken on a port, and how. */
export interface HttpPort extends Pick<SessionFacts, 'protocol' | 'listener'> {
  /** Absent: in plain text. */
  readonly tls?: { readonly clientCertificates: 'off' | 'optional' | 'required' };
  /** A head or a small body that has not come by then ends the connection. */
  readonly headSeconds: number;
  readonly keepAliveSeconds: number;
}

/** Who is known to be there, as `LoggingIn` has it. */
export interface Standing {
  hasLoggedIn: boolean;
  deciding: Promise<unknown> | undefined;
}

export abstract class HttpConnection implements BegunSession, HttpCaller {
  readonly id = randomUUID();
  readonly openedAt = Date.now();
  readonly address: string;
  facts: SessionFacts;
  ended = false;
  certificate: ClientCertificate | undefined;
  private readonly running = new RunningTransfers();
  private readonly slice = new Slice();
  private readonly going = new AbortController();
  private closeReason: CloseReason = 'client';
  /** The next answer is the last one. */
  private isClosing = false;
  private isBusy = false;
  private socket: Socket | undefined;
  private timer: NodeJS.Timeout | undefined;
  private announceEnd!: () => void;
  readonly closed = new Promise<void>((resolve) => {
    this.announceEnd = resolve;
  });

  constructor(
    private readonly raw: Socket,
    protected readonly http: HttpEngine,
    private readonly port: HttpPort,
    origin: Origin,
    private readonly onEnd: () => void,
  ) {
    this.address = origin.client.address;
    this.facts = { session: this.id, protocol: port.protocol, listener: port.listener, ...origin };
    raw.on('close', () => this.finish());
  }

  abstract readonly account: { readonly user: string } | undefined;

  protected abstract readonly standing: Standing;

  /** Answers a request. */
  protected abstract handle(exchange: HttpExchange): Promise<void>;

  /** The connection is gone. */
  protected abstract left(): void;

  /** An administrator wants whoever is there to be gone. */
  protected abstract kicked(): void;

  get protocol() {
    return this.port.protocol;
  }

  get listener() {
    return this.port.listener;
  }

  get hasLoggedIn(): boolean {
    return this.standing.hasLoggedIn;
  }

  get deciding(): Promise<unknown> | undefined {
    return this.standing.deciding;
  }

  get transfer(): RunningTransfer | undefined {
    return this.running.first;
  }

  get gone(): AbortSignal {
    return this.going.signal;
  }

  get stallSeconds(): number {
    return this.http.config.limits.stallSeconds;
  }

  get isEncrypted(): boolean {
    return this.port.tls !== undefined;
  }

  async start(): Promise<void> {
    this.http.audit.record({ kind: 'connection-opened', ...this.facts });
    const socket = await this.secure();
    if (!socket) return;
    this.socket = socket;
    const inflow = new Inflow(socket);
    try {
      while ((await this.serveNext(socket, inflow)) && (await this.taken(socket))) if (this.slice.isUsedUp) await this.slice.next();
    } catch (error) {
      if (!(error instanceof Disconnected)) throw error;
    }
    await this.leave(socket, inflow);
  }

  async dismiss(reason: 'drain' | 'kicked'): Promise<void> {
    if (this.closeReason === 'client') this.closeReason = reason;
    this.isClosing = true;
    if (reason === 'kicked') {
      this.kicked();
      this.running.abort();
      this.raw.destroy();
      return;
    }
    await this.running.over();
    if (this.isBusy) await Promise.race([this.closed, sleep(LINGER_MS, undefined, { ref: false })]);
    this.raw.destroy();
  }

  begins(command: string, path: string, progress: Progress): () => void {
    return this.running.begins(command, path, progress);
  }

  refused({ method, path }: Pick<Head, 'method' | 'path'>, status: number, reason: string): void {
    this.http.audit.record({ kind: 'request', method, path, status, reason, ...this.facts });
  }

  async proven(user: string): Promise<void> {
    const { limits, newcomers } = this.http;
    const { standing } = this;
    if (standing.hasLoggedIn || (await limits.beginLogin(this.address, user)) === 'locked-out') return;
    if (this.ended) return limits.loginUndecided(this.address, user);
    const succeeded = limits.loginSucceeded(this.address, user, !standing.hasLoggedIn).then((succeeds) => {
      standing.hasLoggedIn ||= succeeds;
    });
    standing.deciding = succeeded;
    await succeeded;
    standing.deciding = undefined;
    newcomers.hasLoggedIn(this.address);
  }

  private async secure(): Promise<Socket | undefined> {
    const { certificates, audit, newcomers, config } = this.http;
    const { tls } = this.port;
    if (!tls) return this.raw;
    const deadline = Date.now() + config.tls.handshakeSeconds * 1000;
    const hello = await peekClientHello(this.raw, config.tls.handshakeSeconds);
    const left = (deadline - Date.now()) / 1000;
    if (typeof hello === 'object') await newcomers.turn(this.address);
    const handshake =
      hello === 'closed' || hello === 'timeout'
        ? ({ ok: false, reason: hello === 'timeout' ? 'timeout' : 'disconnected' } as const)
        : await acceptTls(this.raw, {
            ...certificates.handshake(hello === 'malformed' ? undefined : hello, 'TLSv1.3'),
            clientCertificate: tls.clientCertificates,
            seconds: Math.max(0, left),
            onSession: () => {},
            protocols: ['http/1.1'],
          });
    if (handshake.ok) {
      this.certificate = clientCertificate(handshake.socket);
      audit.record({ kind: 'tls-established', channel: 'control', tls: tlsFacts(handshake.socket), ...this.facts });
      return handshake.socket;
    }
    this.closeReason = 'refused';
    const detail = 'detail' in handshake ? handshake.detail : undefined;
    audit.record({ kind: 'handshake-failed', channel: 'control', reason: handshake.reason, detail, ...this.facts });
    this.raw.destroy();
    return undefined;
  }

  /** Answers a request. False where it was the last one. */
  private async serveNext(socket: Socket, inflow: Inflow): Promise<boolean> {
    const { keepAliveSeconds } = this.port;
    this.within(this.hasLoggedIn ? keepAliveSeconds : Math.min(this.http.config.limits.loginSeconds, keepAliveSeconds), 'idle');
    if (!(await inflow.hasMore())) return false;
    this.isBusy = true;
    try {
      const head = await this.readHead(socket, inflow);
      return head !== undefined && (await this.answer(head, socket, inflow));
    } finally {
      this.isBusy = false;
    }
  }

  private async readHead(socket: Socket, inflow: Inflow): Promise<Head | undefined> {
    this.within(this.port.headSeconds, 'error');
    try {
      const bytes = await inflow.until('\r\n\r\n', LONGEST_HEAD, () => new BadRequest(431, 'The head of the request is too long.'));
      return bytes && parseHead(bytes);
    } catch (error) {
      if (!(error instanceof BadRequest)) throw error;
      this.isClosing = true;
      this.closeReason = 'error';
      this.http.audit.record({ kind: 'refused', channel: 'control', reason: 'malformed-request', detail: error.message, ...this.facts });
      const reply = new Reply(socket, { isHead: false, isLast: () => true });
      const { status, message: title } = error;
      reply.send(status, { 'content-type': PROBLEM_TYPE }, problemText({ status, code: 'malformed', title }));
      return undefined;
    }
  }

  private async answer(head: Head, socket: Socket, inflow: Inflow): Promise<boolean> {
    const reply: Reply = new Reply(socket, {
      isHead: head.method === 'HEAD',
      isLast: () => this.isClosing || !head.keepsAlive || body.isUnfinished,
    });
    // That of a file has a clock of its own.
    const body: Body = new Body(inflow, head.framing, head.expectsContinue, {
      begins: () => {
        if (head.expectsContinue) reply.continue();
      },
      turn: () => (this.slice.isUsedUp ? this.slice.next() : undefined),
      waits: (isWaiting) => this.within(isWaiting ? this.port.headSeconds : undefined, 'error'),
    });
    this.within(undefined);
    const endsConnection = () => {
      this.isClosing = true;
    };
    await this.handle({ head, body, reply, caller: this, endsConnection });
    if (reply.state !== 'sent' || this.isClosing || !head.keepsAlive || this.ended) return false;
    return body.skip();
  }

  /** Whoever sends requests and takes no answers takes those first. False where the connection has ended over it. */
  private async taken(socket: Socket): Promise<boolean> {
    if (!socket.writableNeedDrain) return !this.ended;
    this.within(this.stallSeconds, 'error');
    await new Promise<void>((resolve) => {
      const over = () => {
        socket.off('drain', over).off('close', over);
        resolve();
      };
      socket.on('drain', over).on('close', over);
    });
    this.within(undefined);
    return !this.ended;
  }

  /** What is waited for now has to be there within so many seconds. */
  private within(seconds: number | undefined, reason: CloseReason = 'idle'): void {
    clearTimeout(this.timer);
    if (seconds === undefined || this.ended) return;
    this.timer = setTimeout(() => {
      if (this.closeReason === 'client') this.closeReason = reason;
      this.raw.destroy();
    }, seconds * 1000);
  }

  /** Says goodbye, and gives the client a moment to read it. */
  private async leave(socket: Socket, inflow: Inflow): Promise<void> {
    clearTimeout(this.timer);
    if (this.ended) return;
    inflow.ignore();
    socket.end();
    await Promise.race([this.closed, sleep(LINGER_MS, undefined, { ref: false })]);
    this.raw.destroy();
  }

  private finish(): void {
    if (this.ended) return;
    this.ended = true;
    clearTimeout(this.timer);
    this.going.abort();
    this.left();
    this.socket?.destroy();
    this.http.audit.record({ kind: 'connection-closed', seconds: (Date.now() - this.openedAt) / 1000, reason: this.closeReason, ...this.facts });
    this.onEnd();
    void this.running.over().then(() => this.announceEnd());
  }
}
