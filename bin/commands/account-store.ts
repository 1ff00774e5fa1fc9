/** What keeps accounts for `ftps user`. */
import type { z } from 'zod';
import type { PasswordAccount, passwordAccount } from '../../server/config';

/** An account as it is written, with only the keys that somebody set. */
export type WrittenAccount = z.input<typeof passwordAccount>;

/** An account with all its rules; `plain` where its password is kept unhashed, as AWS Transfer Family's layout has it. */
export interface ListedAccount {
  readonly account: PasswordAccount;
  readonly plain: boolean;
}

export interface AccountStore {
  /** In words, for messages. */
  readonly where: string;
  find(user: string): Promise<WrittenAccount | undefined>;
  list(): Promise<ListedAccount[]>;
  /** Adds accounts, or replaces those of the same name. Throws a ConfigError where one is not right, before anything is written. */
  put(accounts: readonly WrittenAccount[]): Promise<void>;
  remove(user: string): Promise<void>;
}
