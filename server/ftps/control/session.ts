/**
 * One control connection from the first byte to the last: its state, its encryption, and how it ends. In which order its lines are worked off is said in
 * command-queue.ts, what becomes of each in dispatch.ts.
 */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SessionFacts } from '../../audit/event';
import type { DataTlsReuse, ListenerConfig } from '../../config';
import type { AccountFiles } from '../../files/account-files';
import type { Account, ClientCertificate } from '../../identity/identity';
import type { Origin } from '../../sessions/listener';
import { type LoggingIn, Logins } from '../../sessions/logins';
import type { CloseReason, Session as OpenSession, RunningTransfer } from '../../sessions/session';
import { clientCertificate, tlsFacts } from '../../tls/facts';
import { softwareOf } from '../../tls/software';
import type { AdvertisedAddress } from '../data/advertised-address';
import type { DataOwner, PendingData, Resumption } from '../data/channel';
import { SignOfLife } from '../data/sign-of-life';
import { type MlstFact, mlstFacts } from '../transfer/entry-lines';
import { ControlChannel } from './channel';
import type { Command, CommandTable } from './command';
import { CommandQueue, type Worked } from './command-queue';
import { Dispatcher, type Speaker } from './dispatch';
import type { Engine } from './engine';
import { openShell, type Shell } from './ftp-srv';
import type { Line } from './line-reader';
import { resolvePath } from './paths';
import { blockText, replyText } from './reply';
import { Silence } from './silence';
import type { State } from './states';
import { storageReply } from './storage-reply';

/** A command of a session's. */
export type SessionCommand = Command<Session>;

export interface SessionOrigin extends Origin {
  readonly listener: ListenerConfig;
  readonly advertised: AdvertisedAddress;
}

/** After its transfer, how long a client may take to read it and go by itself, when the server goes down. */
const LAST_READ_MS = 3_000;

export class Session implements DataOwner, OpenSession, LoggingIn, Worked, Speaker {
  readonly protocol = 'ftps';
  readonly id = randomUUID();
  readonly address: string;
  readonly openedAt = Date.now();
  facts: SessionFacts;
  resumption: Resumption = 'unknown';
  waitsForGoodbye: boolean | undefined;
  readonly signOfLife = new SignOfLife();
  connectsFirst: boolean | undefined;
  software: string | undefined;
  /** Whether replies to PASV are held back as well (docs/decisions/passive-reply-delay.md). */
  isLateToConnect = false;

  // What commands set for commands that follow. Which command may follow which is RFC 959's, section 5.4.
  user: string | undefined;
  account: Account | undefined;
  files: AccountFiles | undefined;
  cwd = '/';
  protection: 'none' | 'buffer-size-set' | 'private' = 'none';
  restartAt = 0;
  renameFrom: string | undefined;
  onlyEpsv = false;
  mlstFacts: ReadonlySet<MlstFact> = new Set(mlstFacts);
  hashName: 'SHA-256' | 'SHA-384' | 'SHA-512' = 'SHA-256';
  readonly logins: Logins;
  /** Whether it has ever, also where REIN has ended that. */
  hasLoggedIn = false;
  /** A login that limits decide about: until then it is not known what a session that ends meanwhile was. */
  deciding: Promise<unknown> | undefined;
  pendingData: PendingData | undefined;
  private running: RunningTransfer | undefined;

  private readonly channel: ControlChannel;
  private readonly shell: Shell;
  private readonly queue: CommandQueue;
  private readonly dispatcher: Dispatcher<Session>;
  private readonly silence: Silence;
  private closeReason: CloseReason = 'client';
  /** Of the last reply. */
  lastCode = 0;
  /** Whether the connection has gone. */
  ended = false;
  private announceEnd!: () => void;
  /** Fulfilled when the control connection is gone. */
  readonly closed = new Promise<void>((resolve) => {
    this.announceEnd = resolve;
  });

  constructor(
    socket: Socket,
    readonly engine: Engine,
    readonly commands: CommandTable<Session>,
    readonly origin: SessionOrigin,
    private readonly onEnd: () => void,
  ) {
    const { client, server } = origin;
    this.address = client.address;
    this.facts = { session: this.id, protocol: this.protocol, listener: origin.listener.mode, client, server };
    this.channel = new ControlChannel(socket, { lines: (lines) => this.queue.take(lines), closed: () => this.finish() });
    this.shell = openShell({
      gather: (text) => this.gather(Number.parseInt(text, 10), text),
      end: () => this.close('quit'),
    });
    this.queue = new CommandQueue(this, this.channel);
    this.dispatcher = new Dispatcher<Session>(this, commands, this.shell, engine.audit);
    this.logins = new Logins(engine, this);
    this.silence = new Silence(engine.config.limits, this.openedAt, () => this.onSilence());
    this.silence.restart(false);
  }

  /** Makes the handshake of implicit mode, greets, and begins to listen. */
  async start(): Promise<void> {
    this.engine.audit.record({ kind: 'connection-opened', ...this.facts });
    if (this.origin.listener.mode === 'implicit') {
      if (!(await this.secure())) return;
      this.protection = this.initialProtection;
    }
    await this.reply(220, this.engine.config.banner);
    this.channel.flush();
    this.channel.start();
  }

  get tls() {
    return this.channel.tls;
  }

  get state(): State {
    if (!this.tls) return 'plain';
    if (this.account) return 'logged-in';
    return this.user === undefined ? 'secured' : 'named';
  }

  /** The transfer that is running. */
  get transfer(): RunningTransfer | undefined {
    return this.running;
  }

  /** Says that a transfer runs, or none. */
  set transfer(transfer: RunningTransfer | undefined) {
    this.running = transfer;
    if (transfer) this.queue.transferBegins(transfer);
  }

  get dataTlsReuse(): DataTlsReuse {
    return this.account?.dataTlsReuse ?? this.origin.listener.dataTlsReuse ?? this.engine.config.tls.dataTlsReuse;
  }

  get listener(): string {
    return this.origin.listener.mode;
  }

  get clientCertificates() {
    return this.origin.listener.clientCertificates;
  }

  get maxTlsVersion() {
    return this.origin.listener.maxTlsVersion;
  }

  /** The certificate that the client proved on the control connection. */
  certificate: ClientCertificate | undefined;

  get clientCertificate(): string | undefined {
    return this.certificate?.sha256;
  }

  /** Replies with one line, or with several as RFC 959 section 4.2 has it. */
  async reply(code: number, ...lines: readonly string[]): Promise<void> {
    this.gather(code, replyText(code, lines));
  }

  /** A multi-line reply whose inner lines stand as they are, without the code. */
  async replyBlock(code: number, first: string, lines: readonly string[], last: string): Promise<void> {
    this.gather(code, blockText(code, first, lines, last));
  }

  /** Takes a whole reply, so that one that is heard during a transfer never lands between the lines of another. */
  private gather(code: number, text: string): void {
    this.lastCode = code;
    this.channel.gather(text);
  }

  /** Sends what was replied so far; done by itself after each command. */
  flush(): void {
    this.channel.flush();
  }

  /** AUTH: what is pipelined behind it was sent in plain text and must never be read as if it had been encrypted. */
  async upgrade(): Promise<void> {
    if (!this.queue.isEmpty || this.channel.holdsBytes) return this.dropForInjection();
    await this.reply(234, 'AUTH command ok. Expecting TLS negotiation.');
    this.channel.flush();
    await this.secure();
  }

  /** Opens the account's files and lets the session use them. False where the client has left meanwhile. */
  async logIn(account: Account): Promise<boolean> {
    const facts = { ...this.facts, user: account.user };
    const files = await this.engine.files.open({ account, facts, doneCode: 250 });
    if (this.ended) return false;
    this.files = files;
    this.account = account;
    this.facts = facts;
    this.cwd = '/';
    this.shell.useFileSystem({
      currentDirectory: () => this.cwd,
      chdir: async (argument) => {
        const path = resolvePath(this, argument);
        await files.enter(path).catch((error: unknown) => {
          throw storageReply(error).error;
        });
        this.cwd = path;
        return path;
      },
    });
    this.silence.restart(true);
    return true;
  }

  /** REIN: everything as it was after the greeting, but for the encryption (docs/decisions/rein-keeps-tls.md). */
  reinitialize(): void {
    // The time to log in begins anew only after a login, or REIN would keep a stranger's connection open for ever.
    if (this.account) this.silence.allowLogin();
    this.logOut();
    this.protection = this.initialProtection;
    this.mlstFacts = new Set(mlstFacts);
    this.hashName = 'SHA-256';
    this.silence.restart(false);
  }

  /** An implicit session is private from the start; clients of that mode often send neither PBSZ nor PROT. */
  private get initialProtection(): Session['protection'] {
    return this.origin.listener.mode === 'implicit' ? 'private' : 'none';
  }

  /** REIN, and the end: forgets the account and everything that was agreed on with it. */
  logOut(): void {
    if (this.account) this.engine.limits.releaseAccount(this.account.user);
    this.account = undefined;
    this.files = undefined;
    this.user = undefined;
    this.shell.useFileSystem(undefined);
    this.pendingData?.cancel();
    this.pendingData = undefined;
    this.restartAt = 0;
    this.renameFrom = undefined;
    this.onlyEpsv = false;
    this.cwd = '/';
    const { user: _, ...facts } = this.facts;
    this.facts = facts;
  }

  /** Gives the pending data connection to the transfer command that uses it up. */
  takePendingData(): PendingData | undefined {
    const pending = this.pendingData;
    this.pendingData = undefined;
    return pending;
  }

  /** Replaces what was pending: a session holds at most one. */
  expectData(pending: PendingData): void {
    this.pendingData?.cancel();
    this.pendingData = pending;
    if (this.ended) pending.cancel(); // the client left while it was arranged
  }

  close(reason: CloseReason): void {
    this.closeReason = reason;
    this.queue.clear();
    this.channel.end();
  }

  /** For the server and the administrator: says why, lets a transfer finish where asked, and closes. */
  async dismiss(reason: 'drain' | 'kicked', text: string): Promise<void> {
    const { transfer } = this;
    if (transfer?.needsNoData) transfer.progress.abort();
    if (reason === 'drain' && transfer) {
      await transfer.done;
      // Some clients drop what they have not read yet when they hear 421.
      await Promise.race([this.closed, sleep(LAST_READ_MS, undefined, { ref: false })]);
    }
    if (reason !== 'drain') this.transfer?.progress.abort();
    if (this.ended) return;
    await this.reply(421, text);
    this.close(reason);
  }

  private async secure(): Promise<boolean> {
    const { certificates, tlsSessions, audit, config, newcomers } = this.engine;
    const turn = () => newcomers.turn(this.address);
    const handshake = await this.channel.secure(config.tls.handshakeSeconds, turn, (hello) => {
      this.software = hello && softwareOf(hello);
      return {
        ...certificates.handshake(hello, this.maxTlsVersion),
        clientCertificate: this.clientCertificates,
        onSession: (id, data) => tlsSessions.file(this, id, data),
      };
    });
    if (!handshake.ok) {
      this.closeReason = 'refused';
      audit.record({ kind: 'handshake-failed', channel: 'control', reason: handshake.reason, detail: handshake.detail, ...this.facts });
      this.finish();
      return false;
    }
    this.certificate = clientCertificate(handshake.socket);
    audit.record({ kind: 'tls-established', channel: 'control', tls: tlsFacts(handshake.socket), ...this.facts });
    if (this.origin.listener.mode === 'explicit') this.channel.start();
    return true;
  }

  private dropForInjection(): void {
    this.engine.audit.record({ kind: 'handshake-failed', channel: 'control', reason: 'bytes-before-upgrade', ...this.facts });
    this.closeReason = 'refused';
    this.queue.clear();
    this.channel.destroy();
  }

  hearsDuringTransfer(name: string): boolean {
    return this.commands.named(name)?.duringTransfer ?? false;
  }

  /** Runs what a line says, and sends the replies. Never rejected. */
  async execute(line: Line): Promise<void> {
    this.silence.restart(this.account !== undefined);
    await this.dispatcher.execute(line);
    this.channel.flush();
    await this.channel.drained();
  }

  private onSilence(): void {
    if (this.transfer) {
      this.silence.restart(this.account !== undefined);
      return;
    }
    void this.reply(421, this.account ? 'Idle for too long.' : 'The login took too long.').then(() => this.close(this.account ? 'idle' : 'login-timeout'));
  }

  /** The control connection is gone, for whatever reason. */
  private finish(): void {
    if (this.ended) return;
    this.ended = true;
    this.silence.end();
    this.transfer?.progress.abort();
    this.engine.audit.record({ kind: 'connection-closed', seconds: (Date.now() - this.openedAt) / 1000, reason: this.closeReason, ...this.facts });
    this.logOut();
    this.engine.tlsSessions.forget(this);
    this.onEnd();
    this.announceEnd();
  }
}
