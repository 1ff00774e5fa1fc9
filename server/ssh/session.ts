/** One client of SSH from the first byte to the last. */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import type { HandshakeFailure, SessionFacts } from '../audit/event';
import type { AccountFiles } from '../files/account-files';
import type { Progress } from '../files/progress';
import type { Account } from '../identity/identity';
import { Slice } from '../limits/slice';
import type { Origin } from '../sessions/listener';
import { RunningTransfers } from '../sessions/running-transfers';
import type { CloseReason, RunningTransfer, Session } from '../sessions/session';
import { SshLogins } from './authentication/logins';
import { UserAuthentication } from './authentication/user-authentication';
import type { Channel, ChannelUser } from './connection/channel';
import { Channels } from './connection/channels';
import { announcement, HostKeyProofs } from './connection/host-key-proofs';
import { messages } from './connection/messages';
import type { SshEngine } from './engine';
import { parseScp } from './scp/command';
import { Copying } from './scp/copying';
import { MOST_HANDLES } from './sftp/handles';
import { statuses } from './sftp/protocol';
import { SftpServer } from './sftp/server';
import type { SftpSession } from './sftp/session';
import type { Negotiated } from './transport/ssh2';
import { disconnects, Transport } from './transport/transport';
import { MalformedPacket, WireWriter } from './wire';

/** Packets that wait while a login is decided, and their bytes: an honest client sends one or two ahead. */
const MOST_WAITING = { packets: 32, bytes: 64 * 1024 };
/** What the server calls itself: no version, which would help those alone who look for one. */
const SOFTWARE = 'cdk-ftps';

export class SshSession implements Session {
  readonly id = randomUUID();
  readonly openedAt = Date.now();
  readonly address: string;
  readonly protocol = 'ssh';
  readonly listener = 'sftp';
  facts: SessionFacts;
  account: Account | undefined;
  hasLoggedIn = false;
  deciding: Promise<unknown> | undefined;
  ended = false;
  private files: AccountFiles | undefined;
  private closeReason: CloseReason = 'client';
  private draining = false;
  private handles = 0;
  /** Requests that are being worked off. */
  private busy = 0;
  private readonly running = new RunningTransfers();
  private readonly slice = new Slice();
  private readonly waiting: Buffer[] = [];
  private isAsking = false;
  private loginTimer: NodeJS.Timeout;
  private idleTimer: NodeJS.Timeout | undefined;
  private idleSince = Date.now();
  private movedAt = 0;
  private readonly transport: Transport;
  private readonly channels: Channels;
  private proofs: HostKeyProofs | undefined;
  private rsaAlgorithm = 'rsa-sha2-512';
  private readonly logins: SshLogins;
  private readonly authentication: UserAuthentication;
  private announceEnd!: () => void;
  /** Fulfilled when the connection is gone and everything it had open is given up. */
  readonly closed = new Promise<void>((resolve) => {
    this.announceEnd = resolve;
  });

  constructor(
    private readonly socket: Socket,
    private readonly engine: SshEngine,
    origin: Origin,
    private readonly onEnd: () => void,
  ) {
    const { config, policy, newcomers } = engine;
    const hostKeys = engine.hostKeys.byAlgorithm;
    this.address = origin.client.address;
    this.facts = { session: this.id, protocol: 'ssh', listener: 'sftp', ...origin };
    this.transport = new Transport(
      socket,
      {
        hostKeys,
        policy,
        software: SOFTWARE,
        handshakeSeconds: config.sftp.handshakeSeconds,
        turn: () => newcomers.turn(this.address),
        slice: this.slice,
      },
      {
        established: (negotiated) => this.established(negotiated),
        packet: (payload) => this.take(payload),
        failed: (reason, detail) => this.failed(reason, detail),
        closed: () => this.finish(),
      },
    );
    const { transport } = this;
    const send = (...parts: readonly Uint8Array[]) => transport.send(...parts);
    this.channels = new Channels(
      {
        send,
        room: () => transport.room(),
        get isFull() {
          return transport.isFull;
        },
        broken: () => this.broken(),
        refused: (what) => this.refused(what),
        proofs: (request) => this.proofs?.reply(request),
      },
      { subsystem: (name, channel) => (name === 'sftp' ? this.sftp(channel) : undefined), command: (line, channel) => this.scp(line, channel) },
    );
    this.logins = new SshLogins(engine, this);
    this.authentication = new UserAuthentication(
      {
        send,
        end: () => this.end('refused', disconnects.noMoreMethods),
        get sessionId() {
          return transport.sessionId;
        },
      },
      this.logins,
      { mostTries: config.sftp.tries, algorithms: policy.userKeys },
    );
    this.loginTimer = setTimeout(() => this.end('login-timeout', disconnects.byApplication), config.limits.loginSeconds * 1000);
  }

  start(): void {
    this.engine.audit.record({ kind: 'connection-opened', ...this.facts });
    this.transport.start();
  }

  get transfer(): RunningTransfer | undefined {
    return this.running.first;
  }

  async logIn(account: Account): Promise<boolean> {
    const facts = { ...this.facts, user: account.user };
    const files = await this.engine.files.open({ account, facts, doneCode: statuses.ok });
    if (this.ended) return false;
    this.files = files;
    this.facts = facts;
    this.account = account;
    clearTimeout(this.loginTimer);
    this.watchIdleness();
    return true;
  }

  /** For the server and the administrator: lets transfers finish where asked, and closes. */
  async dismiss(reason: 'drain' | 'kicked', _text?: string): Promise<void> {
    if (reason === 'drain') {
      this.draining = true;
      await this.running.over();
    } else this.running.abort();
    this.end(reason, disconnects.byApplication);
  }

  // What the transport brings.

  private established({ kex, serverHostKey, cs, sc }: Negotiated): void {
    if (serverHostKey.startsWith('rsa-')) this.rsaAlgorithm = serverHostKey;
    const cipherOf = ({ cipher, mac }: Negotiated['cs']) => (mac ? `${cipher} ${mac}` : cipher);
    this.engine.audit.record({
      kind: 'ssh-established',
      ssh: {
        software: this.transport.software ?? '',
        keyExchange: kex,
        hostKey: serverHostKey,
        cipherIn: cipherOf(cs),
        cipherOut: cipherOf(sc),
        strict: this.transport.isStrict,
      },
      ...this.facts,
    });
    if (!this.transport.wantsExtensions) return;
    // RFC 8308: which signatures a key may log in with; without it, RSA keys are tried with SHA-1.
    this.transport.send(new WireWriter().byte(messages.extensionInfo).uint32(1).string('server-sig-algs').string(this.engine.policy.userKeys.join(',')).done());
  }

  private failed(reason: HandshakeFailure, detail: string): void {
    this.closeReason = 'refused';
    this.engine.audit.record({ kind: 'handshake-failed', channel: 'control', reason, detail, ...this.facts });
  }

  private take(payload: Buffer): void {
    const type = payload[0]!;
    if (type === messages.ignore || type === messages.debug || type === messages.unimplemented || type === messages.extensionInfo) return;
    if (this.isAsking) {
      this.waiting.push(payload);
      const bytes = this.waiting.reduce((sum, { length }) => sum + length, 0);
      if (this.waiting.length > MOST_WAITING.packets || bytes > MOST_WAITING.bytes) this.broken();
      return;
    }
    this.dealWith(payload);
  }

  private dealWith(payload: Buffer): void {
    try {
      if (!this.account) void this.askAbout(payload);
      // Logging in again is passed over in silence (RFC 4252 section 5.1).
      else if (payload[0]! >= messages.globalRequest) this.channels.packet(payload);
      else if (payload[0]! !== messages.userAuthRequest) throw new MalformedPacket();
    } catch (error) {
      this.stumbled(error);
    }
  }

  /** One request to log in after the other, in order, though several may be sent ahead (RFC 4252 section 5.1). */
  private async askAbout(payload: Buffer): Promise<void> {
    this.isAsking = true;
    try {
      if (await this.authentication.packet(payload)) this.announceHostKeys();
    } catch (error) {
      this.stumbled(error);
    }
    if (this.slice.isUsedUp) await this.slice.next();
    this.isAsking = false;
    while (!this.isAsking && this.waiting.length > 0 && !this.ended) this.dealWith(this.waiting.shift()!);
  }

  private announceHostKeys(): void {
    const { all } = this.engine.hostKeys;
    this.proofs = new HostKeyProofs(all, this.transport.sessionId, this.rsaAlgorithm);
    this.transport.send(announcement(all));
  }

  private stumbled(error: unknown): void {
    if (!(error instanceof MalformedPacket)) process.emitWarning(error as Error);
    this.broken();
  }

  private broken(): void {
    this.end('error', disconnects.protocolError);
  }

  private refused(what: string): void {
    this.engine.audit.record({ kind: 'refused', channel: 'control', reason: 'not-offered', detail: what, ...this.facts });
  }

  private end(reason: CloseReason, disconnect: number): void {
    if (this.ended || this.closeReason !== 'client') return;
    this.closeReason = reason;
    this.transport.disconnect(disconnect);
  }

  private finish(): void {
    if (this.ended) return;
    this.ended = true;
    clearTimeout(this.loginTimer);
    clearInterval(this.idleTimer);
    this.channels.closeAll();
    if (this.account) this.engine.limits.releaseAccount(this.account.user);
    this.engine.audit.record({ kind: 'connection-closed', seconds: (Date.now() - this.openedAt) / 1000, reason: this.closeReason, ...this.facts });
    this.onEnd();
    void this.running.over().then(() => this.announceEnd());
  }

  /** A client that neither sends nor takes anything; one that was asked to take something has less time. */
  private watchIdleness(): void {
    const { idleSeconds, stallSeconds } = this.engine.config.limits;
    const look = () => {
      const moved = this.socket.bytesRead + this.socket.bytesWritten;
      if (moved !== this.movedAt || (this.busy > 0 && !this.channels.isBlocked)) {
        this.movedAt = moved;
        this.idleSince = Date.now();
        return;
      }
      const seconds = (Date.now() - this.idleSince) / 1000;
      if (seconds >= idleSeconds || (seconds >= stallSeconds && this.channels.isBlocked)) this.end('idle', disconnects.byApplication);
    };
    this.idleTimer = setInterval(look, (Math.min(idleSeconds, stallSeconds) * 1000) / 2).unref();
  }

  // What runs on channels.

  private scp(line: string, channel: Channel): ChannelUser | undefined {
    const command = this.engine.config.sftp.scp && !this.logins.onlySftp ? parseScp(line) : undefined;
    if (!command || this.draining) return undefined;
    const copying = new Copying(channel, { files: this.files!, slice: this.slice, begins: (...transfer) => this.begins(...transfer) }, command);
    // The reply to the request goes first.
    setImmediate(() => void copying.run());
    return copying.incoming;
  }

  private sftp(channel: Channel): ChannelUser {
    const { engine } = this;
    const session: SftpSession = {
      files: this.files!,
      slice: this.slice,
      begins: (...transfer) => this.begins(...transfer),
      takeHandle: () => {
        if (this.handles >= MOST_HANDLES || this.draining) return false;
        this.handles += 1;
        return true;
      },
      giveHandleBack: () => {
        this.handles -= 1;
      },
      works: () => {
        this.busy += 1;
        return () => {
          this.busy -= 1;
        };
      },
      refused: (command, path, status) => engine.audit.record({ kind: 'command', command, code: status, path, refused: true, ...this.facts }),
      ignoresAttributes: engine.config.sftp.attributes === 'ignore',
    };
    return new SftpServer(channel, session);
  }

  private begins(command: string, path: string, progress: Progress): () => void {
    return this.running.begins(command, path, progress);
  }
}
