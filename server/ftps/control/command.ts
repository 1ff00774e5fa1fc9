/** What a command is: its names, when it may be used, and what it does. */
import type { Operation } from '../../files/permissions';
import type { Allowed } from './states';

/** `S`: the session that it runs in. */
export interface Command<S> {
  readonly name: string;
  /** Other names for the same command: RFC 775's XPWD and its like. */
  readonly aliases?: readonly string[];
  /** For HELP, in the notation of RFC 959 section 5.3. */
  readonly syntax: string;
  readonly allowed: Allowed;
  readonly argument: 'none' | 'optional' | 'required';
  /** Whether the argument is a name or a secret, in which every blank counts; elsewhere blanks around it are of no meaning. */
  readonly verbatim?: boolean;
  /** What is done with files: whether the account may is looked at before anything else is, so that the reply tells nothing about what is there. */
  readonly does?: Operation | ((argument: string) => Operation | undefined);
  /** Lines of FEAT (RFC 2389), as they are true for this session now; absent where the command is not announced. */
  readonly features?: (session: S) => readonly string[] | Promise<readonly string[]>;
  /** Heard while a transfer runs. */
  readonly duringTransfer?: boolean;
  /** What of the argument may be written to the audit. Absent: all of it. */
  readonly audited?: (argument: string) => string;
  /** Absent: the protocol shell's own. */
  readonly run?: (session: S, argument: string) => Promise<void>;
}

/** Every command the server knows. */
export interface CommandTable<S> {
  readonly all: readonly Command<S>[];
  /** By its name in capitals, or an alias. */
  named(name: string): Command<S> | undefined;
}

/** For `audited`: an argument that is a secret, or may be one. */
export const nothing = () => '';
