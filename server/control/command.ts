/** What a command is: its names, when it may be used, and what it does. */
import type { Session } from './session';

/**
 * When a command is heard. `always`: even in plain text. `secured`: once the control connection is encrypted.
 * `logged-in`: once an account is logged in.
 */
export type Allowed = 'always' | 'secured' | 'logged-in';

export interface Command {
  readonly name: string;
  /** Other names for the same command: RFC 775's XPWD and its like. */
  readonly aliases?: readonly string[];
  /** For HELP, in the notation of RFC 959 section 5.3. */
  readonly syntax: string;
  readonly allowed: Allowed;
  readonly argument: 'none' | 'optional' | 'required';
  /** Lines of FEAT (RFC 2389); absent where the command is not announced. */
  readonly features?: readonly string[];
  /** Heard while a transfer runs. */
  readonly duringTransfer?: boolean;
  /** The argument must never be written anywhere. */
  readonly secret?: boolean;
  /** Absent: the protocol shell's own. */
  readonly run?: (session: Session, argument: string) => Promise<void>;
}

/** Every command the server knows. */
export interface CommandTable {
  readonly all: readonly Command[];
  /** By its name in capitals, or an alias. */
  named(name: string): Command | undefined;
}
