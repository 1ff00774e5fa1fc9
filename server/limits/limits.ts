/** How many may come in, and who is locked out. Answers may come from another process, so all of them are promises. */
import type { Refusal } from '../audit/event';

/** A lock-out that has just begun, for the audit. */
export interface Lockout {
  readonly scope: 'address' | 'account';
  readonly seconds: number;
}

/**
 * What is known of somebody who is about to log in.
 * - `locked-out`: no password is looked at.
 * - `known`: this address has logged in lately.
 * - `stranger`: it has not.
 */
export type Standing = 'locked-out' | 'known' | 'stranger';

/**
 * How a connection ended.
 * - `served`: it had logged in.
 * - `fruitless`: it never did: a handshake that failed, a client that did not speak, wrong passwords.
 * - `lost`: with the process that served it, which is not the client's fault.
 */
export type ConnectionEnd = 'served' | 'fruitless' | 'lost';

export interface Limits {
  /** Asks for a place for a new connection. `undefined` grants it until `releaseConnection`; otherwise why not. */
  admitConnection(address: string): Promise<Refusal | undefined>;
  releaseConnection(address: string, end: ConnectionEnd): void;
  /**
   * Asked before any account is looked up. Where it isn't `locked-out`, an attempt is reserved, and one of `loginFailed`, `loginSucceeded` and
   * `loginUndecided` must follow: so many passwords are looked at side by side as may still be wrong, and who comes then waits.
   */
  beginLogin(address: string, login: string): Promise<Standing>;
  /** Counts a failed login. Answers the lock-outs that it caused. */
  loginFailed(address: string, login: string): Promise<readonly Lockout[]>;
  /**
   * Forgets what this address has failed at this account. `first`: the connection had not logged in before. False where a lock-out has begun since
   * `beginLogin`: then nobody is let in.
   */
  loginSucceeded(address: string, login: string, first: boolean): Promise<boolean>;
  /** Nobody could say whether the password was right. */
  loginUndecided(address: string, login: string): void;
  /** Asks for one more session of the account. `true` grants it until `releaseAccount`. */
  admitAccount(user: string, maxSessions?: number): Promise<boolean>;
  releaseAccount(user: string): void;
}
