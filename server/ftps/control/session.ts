/**
 * One control connection from the first byte to the last: its state, and the strict order of its commands. Commands run one
 * at a time; while a transfer runs, only those that may be heard then are taken out of the queue.
 */
import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
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
import { type MlstFact, mlstFacts, onOneLine } from '../transfer/entry-lines';
import { ControlChannel } from './channel';
import type { Command, CommandTable } from './command';
import type { Engine } from './engine';
import { openShell, type Shell } from './ftp-srv';
import type { Line } from './line-reader';
import { resolvePath } from './paths';
import { type State, wrongState } from './states';
import { storageReply } from './storage-reply';

/** A command of a session's. */
export type SessionCommand = Command<Session>;

export interface SessionOrigin extends Origin {
  readonly listener: ListenerConfig;
  readonly advertised: AdvertisedAddress;
}

/** After its transfer, how long a client may take to read it and go by itself, when the server goes down. */
const LAST_READ_MS = 3_000;

/** A client that pipelines more than this waits until its commands are worked off. */
const MOST_QUEUED = 64;

/** So many commands of a session run one behind the other before everybody else has a turn of the event loop: a packet can have thousands. */
const MOST_IN_A_ROW = 4;
/** Commands of RFC 959, 2228, 1639 and of drafts that are not here: 502 says so, where 500 would call them a mistake (RFC 959 section 4.2). */
const absent = new Set(
  'SMNT ADAT MIC CONF ENC LPRT LPSV XCRC XMD5 XSHA XSHA1 MD5 MMD5 MFCT MFF DSIZ COMB MODEB XSEM XSEN XRSQ MLFL MAIL MSND MSOM MSAM MRSQ MRCP'.split(' '),
);
/** What comes so soon after a command that works for long was sent without waiting for its reply. Seconds. */
const SENT_ALONG_SECONDS = 1;
/** Lines that are no command, in a row, after which it is no FTP client (a browser led here, a scanner). */
const MOST_UNKNOWN = 10;
/** Commands that a session may have refused before it has logged in: an honest client gives up or encrypts after one or two. */
const MOST_REFUSED = 10;

export class Session implements DataOwner, OpenSession, LoggingIn {
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
  private readonly queue: Line[] = [];
  /** What was sent along with a command that works for long: its replies keep their order, as clients that send ahead count on it. */
  private readonly sentAlong = new WeakSet<Line>();
  private working = false;
  private unknown = 0;
  private refused = 0;
  private closeReason: CloseReason = 'client';
  private lastCode = 0;
  private timer: NodeJS.Timeout | undefined;
  /** How long the timer waits. Milliseconds. */
  private waits = 0;
  /** When a session that has not logged in is closed, in milliseconds since 1970. */
  private logInBy: number;
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
    this.channel = new ControlChannel(socket, { lines: (lines) => this.take(lines), closed: () => this.finish() });
    this.shell = openShell({
      gather: (text) => this.gather(Number.parseInt(text, 10), text),
      end: () => this.close('quit'),
    });
    this.logins = new Logins(engine, this);
    this.logInBy = this.openedAt + engine.config.limits.loginSeconds * 1000;
    this.restartTimer();
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

  /** Says that a transfer runs, or none. What the client has sent ahead and may be heard during it is heard now. */
  set transfer(transfer: RunningTransfer | undefined) {
    this.running = transfer;
    if (transfer?.needsNoData) for (const line of this.queue) this.sentAlong.add(line);
    if (transfer) this.hearDuringTransfer();
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

  /** Replies with one line, or with several as RFC 959 section 4.2 has it. A text can't carry a line of its own into the reply. */
  async reply(code: number, ...lines: readonly string[]): Promise<void> {
    this.gather(code, lines.map((line, index) => `${code}${index < lines.length - 1 ? '-' : ' '}${onOneLine(line)}\r\n`).join(''));
  }

  /** A multi-line reply whose inner lines stand as they are, without the code (RFC 3659 section 7.2, RFC 2389 section 3.2). */
  async replyBlock(code: number, first: string, lines: readonly string[], last: string): Promise<void> {
    const clean = [first, ...lines].map(onOneLine);
    this.gather(code, `${code}-${clean.join('\r\n')}\r\n${code} ${onOneLine(last)}\r\n`);
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
    if (this.queue.length > 0 || this.channel.holdsBytes) return this.dropForInjection();
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
    this.restartTimer();
    return true;
  }

  /** REIN: everything as it was after the greeting, but for the encryption (docs/decisions/rein-keeps-tls.md). */
  reinitialize(): void {
    // The time to log in begins anew only after a login, or REIN would keep a stranger's connection open for ever.
    if (this.account) this.logInBy = Date.now() + this.engine.config.limits.loginSeconds * 1000;
    this.logOut();
    this.protection = this.initialProtection;
    this.mlstFacts = new Set(mlstFacts);
    this.hashName = 'SHA-256';
    this.restartTimer();
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
    this.queue.length = 0;
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
    this.queue.length = 0;
    this.channel.destroy();
  }

  private take(lines: readonly Line[]): void {
    this.queue.push(...lines);
    const { transfer } = this;
    if (transfer?.needsNoData && transfer.progress.seconds < SENT_ALONG_SECONDS) for (const line of lines) this.sentAlong.add(line);
    if (this.queue.length >= MOST_QUEUED) this.channel.pause();
    if (!this.working) void this.work();
    else if (this.transfer) this.hearDuringTransfer();
  }

  private async work(): Promise<void> {
    this.working = true;
    let inARow = 0;
    for (let line = this.queue.shift(); line && !this.ended; line = this.queue.shift()) {
      await this.execute(line);
      if (++inARow % MOST_IN_A_ROW === 0) await nextTurn();
      await this.hearing; // ABOR replies after the transfer it ended, and before the next command
      if (this.queue.length <= MOST_QUEUED / 2 && !this.ended) this.readOn();
    }
    this.working = false;
  }

  private readOn(): void {
    const more = this.channel.more();
    if (more.length > 0) this.queue.push(...more);
    else this.channel.resume();
  }

  /** ABOR, STAT and NOOP don't wait for the transfer; anything else keeps its place in the queue. */
  private hearing: Promise<void> | undefined;
  private hearDuringTransfer(): void {
    this.hearing ??= this.hear().finally(() => {
      this.hearing = undefined;
    });
  }

  private async hear(): Promise<void> {
    while (this.transfer && this.queue.length > 0) {
      const [next] = this.queue;
      const parsed = next?.kind === 'line' ? parseCommand(next.text) : undefined;
      if (!parsed || !this.commands.named(parsed.name)?.duringTransfer) break;
      // ABOR ends what it waits for, so that its reply keeps its order by itself.
      if (this.transfer.needsNoData && parsed.name !== 'ABOR' && this.sentAlong.has(next!)) break;
      this.queue.shift();
      await this.execute(next!);
    }
  }

  private async execute(line: Line): Promise<void> {
    try {
      this.restartTimer();
      if (line.kind !== 'line') await this.refuseLine(line.kind);
      else await this.dispatch(line.text);
    } catch (error) {
      const { code, error: known } = storageReply(error);
      await this.reply(code, known.message);
    }
    this.channel.flush();
    await this.channel.drained();
  }

  private async dispatch(text: string): Promise<void> {
    const { name, argument: written } = parseCommand(text);
    const command = this.commands.named(name);
    const argument = command?.verbatim ? written : written.trim();
    if (!command) {
      if (absent.has(name)) return this.reply(502, `${name} is not implemented.`);
      this.unknown += 1;
      if (this.unknown > MOST_UNKNOWN) {
        await this.reply(421, 'This is an FTP server; too many lines were no commands.');
        return this.close('refused');
      }
      return this.reply(500, name === '' ? 'A command was expected.' : `${name} is not understood.`);
    }
    this.unknown = 0;
    this.lastCode = 0;
    const wrong = wrongState(command.allowed, this.state);
    if (wrong && this.state === 'plain') {
      this.engine.audit.record({ kind: 'refused', channel: 'control', reason: 'tls-required', detail: name, ...this.facts });
      await this.reply(wrong.code, wrong.text);
      return this.countRefused();
    }
    const operation = typeof command.does === 'function' ? command.does(argument) : command.does;
    const notAllowed = operation && this.files?.refusal(operation);
    if (wrong) await this.reply(wrong.code, wrong.text);
    else if (notAllowed) await this.reply(550, notAllowed);
    else if (command.argument === 'required' && argument === '') await this.reply(501, `An argument is missing: ${command.syntax}`);
    else await this.run(command, name, argument).catch((error: unknown) => this.replyToFailure(error));
    if (this.lastCode >= 400)
      this.engine.audit.record({
        kind: 'command',
        command: name,
        argument: (command.audited ? command.audited(argument) : argument) || undefined,
        code: this.lastCode,
        ...this.facts,
      });
    if (this.lastCode >= 500 && !this.account) await this.countRefused();
  }

  private async run(command: Command<Session>, name: string, argument: string): Promise<void> {
    if (command.run) await command.run(this, argument);
    else await this.shell.handle({ name, argument });
  }

  /** Who is refused again and again before a login is no client but somebody who tries something, or fills the audit. */
  private async countRefused(): Promise<void> {
    this.refused += 1;
    if (this.refused <= MOST_REFUSED || this.ended) return;
    await this.reply(421, 'Too many commands were refused before a login.');
    this.close('refused');
  }

  private replyToFailure(error: unknown): Promise<void> {
    const { code, error: known } = storageReply(error);
    return this.reply(code, known.message);
  }

  private async refuseLine(kind: Exclude<Line['kind'], 'line'>): Promise<void> {
    const { audit } = this.engine;
    if (kind === 'not-utf8') return this.reply(501, 'The line is not UTF-8.');
    audit.record({ kind: 'refused', channel: 'control', reason: kind === 'nul' ? 'nul-in-line' : 'line-too-long', ...this.facts });
    await this.reply(500, kind === 'nul' ? 'A command line can have no NUL.' : 'The command line is too long.');
    if (kind === 'too-long') this.close('refused');
    else if (!this.account) await this.countRefused();
  }

  private restartTimer(): void {
    const milliseconds = this.account ? this.engine.config.limits.idleSeconds * 1000 : Math.max(0, this.logInBy - Date.now());
    // With every command: to move a timer back is cheaper than to make one.
    if (this.timer && milliseconds === this.waits && !this.ended) return void this.timer.refresh();
    clearTimeout(this.timer);
    if (this.ended) return;
    this.waits = milliseconds;
    this.timer = setTimeout(() => this.onIdle(), milliseconds);
  }

  private onIdle(): void {
    if (this.transfer) {
      this.restartTimer();
      return;
    }
    void this.reply(421, this.account ? 'Idle for too long.' : 'The login took too long.').then(() => this.close(this.account ? 'idle' : 'login-timeout'));
  }

  /** The control connection is gone, for whatever reason. */
  private finish(): void {
    if (this.ended) return;
    this.ended = true;
    clearTimeout(this.timer);
    this.transfer?.progress.abort();
    this.engine.audit.record({ kind: 'connection-closed', seconds: (Date.now() - this.openedAt) / 1000, reason: this.closeReason, ...this.facts });
    this.logOut();
    this.engine.tlsSessions.forget(this);
    this.onEnd();
    this.announceEnd();
  }
}

/** Cuts a line at its first blank; everything behind it is the argument, byte for byte. */
export function parseCommand(text: string): { name: string; argument: string } {
  const match = /^([A-Za-z][A-Za-z0-9]{0,15})(?: (.*))?$/s.exec(text);
  const name = match?.[1]?.toUpperCase() ?? '';
  return { name, argument: match?.[2] ?? '' };
}
