/** How many may come in, and who is locked out. Answers may come from another process, so all of them are promises. */
import type { Refusal } from '../audit/event';

/** A lock-out that has just begun, for the audit. */
export interface Lockout {
  readonly scope: 'address' | 'account';
  readonly seconds: number;
}

export interface Limits {
  /** Asks for a place for a new connection. `undefined` grants it until `releaseConnection`; otherwise why not. */
  admitConnection(address: string): Promise<Refusal | undefined>;
  releaseConnection(address: string): void;
  /** Asked before any account is looked up: whether the address or the account is locked out. */
  isLockedOut(address: string, login: string): Promise<boolean>;
  /** Counts a failed login. Answers the lock-outs that it caused. */
  loginFailed(address: string, login: string): Promise<readonly Lockout[]>;
  /** Forgets the failures of the account; those of the address stay. */
  loginSucceeded(address: string, login: string): Promise<void>;
  /** Asks for one more session of the account. `true` grants it until `releaseAccount`. */
  admitAccount(user: string, maxSessions?: number): Promise<boolean>;
  releaseAccount(user: string): void;
}
