/** Who checks passwords against hashes, wherever the threads for it are: in this process, or in the primary for all workers. */

import type { SpentCodes } from '../spent-codes';

export interface PasswordQuestion {
  readonly password: string;
  /** PHC string. Where `isUnknown`, one that costs as much as that of an account; absent, what new hashes cost. */
  readonly phc?: string;
  /** There is no such account: the same work, and the answer is `wrong`. */
  readonly isUnknown?: boolean;
  readonly address: string;
  /** Whether the address has logged in lately. */
  readonly isKnown: boolean;
}

/** `busy`: it could not be checked in time, or the thread was lost. */
export type PasswordAnswer = 'right' | 'wrong' | 'busy';

/** What there is once for all workers: the threads, and which codes were used. */
export interface PasswordChecks extends SpentCodes {
  check(question: PasswordQuestion): Promise<PasswordAnswer>;
  close(): Promise<void>;
}
