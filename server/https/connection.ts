/** One connection of HTTPS from the first byte to the last: the handshake, then one request behind the other. */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import type { SessionFacts } from '../audit/event';
import type { Progress } from '../files/progress';
import type { ClientCertificate } from '../identity/identity';
import type { BegunSession, Origin } from '../sessions/listener';
import { RunningTransfers } from '../sessions/running-transfers';
import type { CloseReason, RunningTransfer } from '../sessions/session';
import { acceptTls } from '../tls/accept';
import { clientCertificate, tlsFacts } from '../tls/facts';
import { peekClientHello } from '../tls/peek';
import { Door } from './access/door';
import type { HttpsEngine } from './engine';
import type { Application, Exchange } from './exchange';
import { Body } from './http/body';
import { BadRequest, type Head, LONGEST_HEAD, parseHead } from './http/head';
import { Disconnected, Inflow } from './http/inflow';
import { Reply } from './http/reply';

/** How long a client that was told to go, and still sends, is listened to: cut off at once, it might never read why. */
const LINGER_MS = 2_000;

export class HttpsConnection implements BegunSession {
  readonly id = randomUUID();
  readonly openedAt = Date.now();
  readonly protocol = 'https';
  readonly listener = 'https';
  readonly address: string;
  facts: SessionFacts;
  ended = false;
  certificate: ClientCertificate | undefined;
  private readonly door: Door;
  private readonly running = new RunningTransfers();
  private readonly going = new AbortController();
  private closeReason: CloseReason = 'client';
  /** The next answer is the last one. */
  private isClosing = false;
  private isBusy = false;
  private socket: TLSSocket | undefined;
  private timer: NodeJS.Timeout | undefined;
  private announceEnd!: () => void;
  readonly closed = new Promise<void>((resolve) => {
    this.announceEnd = resolve;
  });

  constructor(
    private readonly raw: Socket,
    private readonly engine: HttpsEngine,
    private readonly application: Application,
    origin: Origin,
    private readonly onEnd: () => void,
  ) {
    this.address = origin.client.address;
    this.facts = { session: this.id, protocol: 'https', listener: 'https', ...origin };
    this.door = new Door(engine, this);
    raw.on('close', () => this.finish());
  }

  get account() {
    return this.door.account;
  }

  get hasLoggedIn(): boolean {
    return this.door.hasLoggedIn;
  }

  get deciding(): Promise<unknown> | undefined {
    return this.door.deciding;
  }

  get transfer(): RunningTransfer | undefined {
    return this.running.first;
  }

  get gone(): AbortSignal {
    return this.going.signal;
  }

  get stallSeconds(): number {
    return this.engine.config.limits.stallSeconds;
  }

  async start(): Promise<void> {
    this.engine.audit.record({ kind: 'connection-opened', ...this.facts });
    const socket = await this.secure();
    if (!socket) return;
    this.socket = socket;
    const inflow = new Inflow(socket);
    try {
      while (await this.serveNext(socket, inflow));
    } catch (error) {
      if (!(error instanceof Disconnected)) throw error;
    }
    await this.leave(socket, inflow);
  }

  async dismiss(reason: 'drain' | 'kicked'): Promise<void> {
    if (this.closeReason === 'client') this.closeReason = reason;
    this.isClosing = true;
    if (reason === 'kicked') {
      this.door.signOut();
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

  who() {
    return this.engine.who();
  }

  signIn(user: string, password: string | undefined) {
    return this.door.signIn(user, password);
  }

  visitor(headers: ReadonlyMap<string, string>) {
    return this.door.visitor(headers);
  }

  signOut(): void {
    this.door.signOut();
  }

  refused({ method, path }: Pick<Head, 'method' | 'path'>, status: number, reason: string): void {
    this.engine.audit.record({ kind: 'request', method, path, status, reason, ...this.facts });
  }

  private async secure(): Promise<TLSSocket | undefined> {
    const { certificates, audit, newcomers, config } = this.engine;
    const deadline = Date.now() + config.tls.handshakeSeconds * 1000;
    const hello = await peekClientHello(this.raw, config.tls.handshakeSeconds);
    const left = (deadline - Date.now()) / 1000;
    if (typeof hello === 'object') await newcomers.turn(this.address);
    const handshake =
      hello === 'closed' || hello === 'timeout'
        ? ({ ok: false, reason: hello === 'timeout' ? 'timeout' : 'disconnected' } as const)
        : await acceptTls(this.raw, {
            ...certificates.handshake(hello === 'malformed' ? undefined : hello, 'TLSv1.3'),
            clientCertificate: config.https.clientCertificates,
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
  private async serveNext(socket: TLSSocket, inflow: Inflow): Promise<boolean> {
    const { https, limits } = this.engine.config;
    this.within(this.hasLoggedIn ? https.keepAliveSeconds : Math.min(limits.loginSeconds, https.keepAliveSeconds), 'idle');
    if (!(await inflow.hasMore())) return false;
    this.isBusy = true;
    try {
      const head = await this.readHead(socket, inflow);
      return head !== undefined && (await this.answer(head, socket, inflow));
    } finally {
      this.isBusy = false;
    }
  }

  private async readHead(socket: TLSSocket, inflow: Inflow): Promise<Head | undefined> {
    this.within(this.engine.config.https.headSeconds, 'error');
    try {
      const bytes = await inflow.until('\r\n\r\n', LONGEST_HEAD, () => new BadRequest(431, 'The head of the request is too long.'));
      return bytes && parseHead(bytes);
    } catch (error) {
      if (!(error instanceof BadRequest)) throw error;
      this.isClosing = true;
      this.closeReason = 'error';
      this.engine.audit.record({ kind: 'refused', channel: 'control', reason: 'malformed-request', detail: error.message, ...this.facts });
      const reply = new Reply(socket, { isHead: false, isLast: () => true });
      reply.send(error.status, { 'content-type': 'text/plain; charset=utf-8' }, `${error.message}\n`);
      return undefined;
    }
  }

  private async answer(head: Head, socket: TLSSocket, inflow: Inflow): Promise<boolean> {
    const reply: Reply = new Reply(socket, {
      isHead: head.method === 'HEAD',
      isLast: () => this.isClosing || !head.keepsAlive || body.isUnfinished,
    });
    // That of a file has a clock of its own.
    const body: Body = new Body(inflow, head.framing, head.expectsContinue, {
      begins: () => {
        if (head.expectsContinue) reply.continue();
      },
      waits: (isWaiting) => this.within(isWaiting ? this.engine.config.https.headSeconds : undefined, 'error'),
    });
    this.within(undefined);
    const exchange: Exchange = {
      head,
      body,
      reply,
      caller: this,
      endsConnection: () => {
        this.isClosing = true;
      },
    };
    await this.application(exchange);
    if (reply.state !== 'sent' || this.isClosing || !head.keepsAlive || this.ended) return false;
    return body.skip();
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
  private async leave(socket: TLSSocket, inflow: Inflow): Promise<void> {
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
    this.door.leave();
    this.socket?.destroy();
    this.engine.audit.record({ kind: 'connection-closed', seconds: (Date.now() - this.openedAt) / 1000, reason: this.closeReason, ...this.facts });
    this.onEnd();
    void this.running.over().then(() => this.announceEnd());
  }
}
