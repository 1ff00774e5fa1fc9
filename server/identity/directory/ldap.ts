/** What OpenLDAP, 389 Directory Server and their kin say about an account. */
import type { RefusalReason } from '../identity';
import type { DirectoryEntry } from './connection';

export const USER_FILTER = '(uid={user})';

/** The password policy overlay's lock, and 389 Directory Server's. Both are operational and come only when asked for. */
export const STATE_ATTRIBUTES = ['pwdAccountLockedTime', 'nsAccountLock'];

export function reasonOfState(entry: DirectoryEntry): RefusalReason | undefined {
  if (entry.text('nsAccountLock')[0]?.toLowerCase() === 'true') return 'account-disabled';
  return entry.text('pwdAccountLockedTime').length > 0 ? 'account-locked' : undefined;
}
