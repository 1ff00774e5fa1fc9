/** What a token is good for, of what its account may do. */
import type { AccountRules, AccountToken, Permission } from '../config';

export type Scope = AccountToken['scopes'][number];

const PERMISSIONS: Readonly<Record<Scope, readonly Permission[]>> = {
  read: ['read', 'list'],
  write: ['write', 'delete', 'rename', 'mkdir'],
};

/** The account with what the scopes leave of its permissions. */
export function within<Account extends Pick<AccountRules, 'permissions'>>(account: Account, scopes: readonly Scope[]): Account {
  const allowed = scopes.flatMap((scope) => PERMISSIONS[scope]);
  return { ...account, permissions: account.permissions.filter((one) => allowed.includes(one)) };
}
