/** What a command is: its names, when it may be used, and what it does. */
import type { Permission } from '../../config';
import type { Session } from './session';
import type { Allowed } from './states';

export interface Command {
  readonly name: string;
  /** Other names for the same command: RFC 775's XPWD and its like. */
  readonly aliases?: readonly string[];
  /** For HELP, in the notation of RFC 959 section 5.3. */
  readonly syntax: string;
  readonly allowed: Allowed;
  readonly argument: 'none' | 'optional' | 'required';
  /** Whether the argument is a name or a secret, in which every blank counts; elsewhere blanks around it are of no meaning. */
  readonly verbatim?: boolean;
  /** The permissions of which the account needs one, looked at before the storage is asked, so that the reply tells nothing about what is there. */
  readonly needs?: readonly Permission[] | ((argument: string) => readonly Permission[]);
  /** Lines of FEAT (RFC 2389), as they are true for this session now; absent where the command is not announced. */
  readonly features?: (session: Session) => readonly string[] | Promise<readonly string[]>;
  /** Heard while a transfer runs. */
  readonly duringTransfer?: boolean;
  /** What of the argument may be written to the audit. Absent: all of it. */
  readonly audited?: (argument: string) => string;
  /** Absent: the protocol shell's own. */
  readonly run?: (session: Session, argument: string) => Promise<void>;
}

/** Every command the server knows. */
export interface CommandTable {
  readonly all: readonly Command[];
  /** By its name in capitals, or an alias. */
  named(name: string): Command | undefined;
}

/** For `audited`: an argument that is a secret, or may be one. */
export const nothing = () => '';
