/** A partner and the account that stands for it. */
import type { SessionFacts } from '../audit/event';
import { type As2Partner, Networks } from '../config';
import type { AccountFiles } from '../files/account-files';
import type { Account } from '../identity/identity';
import type { As2Parts } from './engine';

/** The code by which HTTP says that something was done, for the audit. */
const DONE = 200;
/** The operator has named the folders of a partner: what is done with them does not depend on what the account itself may do in a session. */
const ALL = ['read', 'write', 'list', 'delete', 'rename', 'mkdir'] as const;

/** The account as it is now. Throws an Error for the operator where there is none, or its source can't say. */
export async function accountOf({ identity }: Pick<As2Parts, 'identity'>, { account: user }: Pick<As2Partner, 'account'>): Promise<Account> {
  const account = await identity.rulesOf(user);
  if (account === 'none') throw new Error(`there is no account ${user}`);
  if (account === 'unknown') throw new Error(`the account ${user} can't be looked up without its password; AS2 needs one in a file or in Secrets Manager`);
  if (!account.enabled) throw new Error(`the account ${user} is disabled`);
  return account;
}

export function mayComeFrom({ allowedNetworks, deniedNetworks }: Account, address: string): boolean {
  if (deniedNetworks.length > 0 && new Networks(deniedNetworks).contains(address)) return false;
  return allowedNetworks.length === 0 || new Networks(allowedNetworks).contains(address);
}

/** The files of the account, for what AS2 itself does with them. */
export function filesOf({ files }: Pick<As2Parts, 'files'>, account: Account, facts: SessionFacts): Promise<AccountFiles> {
  return files.open({ account: { ...account, permissions: [...ALL] }, facts, doneCode: DONE });
}
