/**
 * What becomes of a line: the command that it names is looked up and, where it is allowed, run; what is refused is told to the audit, and who is
 * refused again and again is sent away.
 */
import type { Audit, SessionFacts } from '../../audit/event';
import type { Operation } from '../../files/permissions';
import type { CloseReason } from '../../sessions/session';
import type { Command, CommandTable } from './command';
import type { Shell } from './ftp-srv';
import type { Line } from './line-reader';
import { parseCommand } from './parse-command';
import { type State, wrongState } from './states';
import { storageReply } from './storage-reply';

/** Commands of RFC 959, 2228, 1639 and of drafts that are not here: 502 says so, where 500 would call them a mistake (RFC 959 section 4.2). */
const absent = new Set(
  'SMNT ADAT MIC CONF ENC LPRT LPSV XCRC XMD5 XSHA XSHA1 MD5 MMD5 MFCT MFF DSIZ COMB MODEB XSEM XSEN XRSQ MLFL MAIL MSND MSOM MSAM MRSQ MRCP'.split(' '),
);
/** What REST is for: the next of these, whatever it comes to (RFC 959 section 4.1.3). Left over, it would begin another file in the middle. */
const restarted = new Set(['RETR', 'STOR', 'APPE', 'STOU', 'LIST', 'NLST', 'MLSD']);
/** Lines that are no command, in a row, after which it is no FTP client (a browser led here, a scanner). */
const MOST_UNKNOWN = 10;
/** Commands that a session may have refused before it has logged in: an honest client gives up or encrypts after one or two. */
const MOST_REFUSED = 10;

/** Whose lines they are, as far as it decides what becomes of them. */
export interface Speaker {
  readonly state: State;
  readonly facts: SessionFacts;
  /** Why the account may not do it; undefined where it may, and where nobody has logged in. */
  readonly files: { refusal(operation: Operation): string | undefined } | undefined;
  readonly ended: boolean;
  /** Of the last reply. */
  lastCode: number;
  /** The byte at which the next transfer begins. */
  restartAt: number;
  reply(code: number, text: string): Promise<void>;
  close(reason: CloseReason): void;
}

export class Dispatcher<S extends Speaker> {
  private unknown = 0;
  private refused = 0;

  constructor(
    private readonly session: S,
    private readonly commands: CommandTable<S>,
    private readonly shell: Shell,
    private readonly audit: Audit,
  ) {}

  /** Runs what a line says, to its reply. Never rejected. */
  async execute(line: Line): Promise<void> {
    try {
      if (line.kind !== 'line') await this.refuseLine(line.kind);
      else await this.dispatch(line.text);
    } catch (error) {
      await this.replyToFailure(error);
    }
  }

  private async dispatch(text: string): Promise<void> {
    const { session } = this;
    const { name, argument: written } = parseCommand(text);
    const command = this.commands.named(name);
    if (!command) return this.refuseUnknown(name);
    const argument = command.verbatim ? written : written.trim();
    this.unknown = 0;
    session.lastCode = 0;
    const wrong = wrongState(command.allowed, session.state);
    if (wrong && session.state === 'plain') {
      this.audit.record({ kind: 'refused', channel: 'control', reason: 'tls-required', detail: name, ...session.facts });
      await session.reply(wrong.code, wrong.text);
      return this.countRefused();
    }
    const operation = typeof command.does === 'function' ? command.does(argument) : command.does;
    const notAllowed = operation && session.files?.refusal(operation);
    if (wrong) await session.reply(wrong.code, wrong.text);
    else if (notAllowed) await session.reply(550, notAllowed);
    else if (command.argument === 'required' && argument === '') await session.reply(501, `An argument is missing: ${command.syntax}`);
    else await this.run(command, name, argument).catch((error: unknown) => this.replyToFailure(error));
    if (restarted.has(name)) session.restartAt = 0;
    if (session.lastCode >= 400)
      this.audit.record({
        kind: 'command',
        command: name,
        argument: (command.audited ? command.audited(argument) : argument) || undefined,
        code: session.lastCode,
        ...session.facts,
      });
    if (session.lastCode >= 500 && session.state !== 'logged-in') await this.countRefused();
  }

  private async run(command: Command<S>, name: string, argument: string): Promise<void> {
    if (command.run) await command.run(this.session, argument);
    else await this.shell.handle({ name, argument });
  }

  private async refuseUnknown(name: string): Promise<void> {
    const { session } = this;
    if (absent.has(name)) return session.reply(502, `${name} is not implemented.`);
    this.unknown += 1;
    if (this.unknown <= MOST_UNKNOWN) return session.reply(500, name === '' ? 'A command was expected.' : `${name} is not understood.`);
    await session.reply(421, 'This is an FTP server; too many lines were no commands.');
    session.close('refused');
  }

  private async refuseLine(kind: Exclude<Line['kind'], 'line'>): Promise<void> {
    const { session } = this;
    if (kind === 'not-utf8') return session.reply(501, 'The line is not UTF-8.');
    this.audit.record({ kind: 'refused', channel: 'control', reason: kind === 'nul' ? 'nul-in-line' : 'line-too-long', ...session.facts });
    await session.reply(500, kind === 'nul' ? 'A command line can have no NUL.' : 'The command line is too long.');
    if (kind === 'too-long') session.close('refused');
    else if (session.state !== 'logged-in') await this.countRefused();
  }

  /** Who is refused again and again before a login is no client but somebody who tries something, or fills the audit. */
  private async countRefused(): Promise<void> {
    this.refused += 1;
    if (this.refused <= MOST_REFUSED || this.session.ended) return;
    await this.session.reply(421, 'Too many commands were refused before a login.');
    this.session.close('refused');
  }

  private replyToFailure(error: unknown): Promise<void> {
    const { code, error: known } = storageReply(error);
    return this.session.reply(code, known.message);
  }
}
