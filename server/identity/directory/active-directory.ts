/** What Active Directory says about an account in its own ways. */
import type { RefusalReason } from '../identity';
import type { DirectoryEntry } from './connection';

/** Finds users by the two names they log in with. */
export const USER_FILTER = '(&(objectCategory=person)(objectClass=user)(|(sAMAccountName={user})(userPrincipalName={login})))';

/** LDAP_MATCHING_RULE_IN_CHAIN (MS-ADTS section 3.1.1.3.4.4.3): membership through groups within groups. */
export const IN_CHAIN = '1.2.840.113556.1.4.1941';

/** Attributes that tell the state of an account. */
export const STATE_ATTRIBUTES = ['userAccountControl', 'msDS-User-Account-Control-Computed', 'accountExpires', 'userWorkstations'];
/** A bit for each hour of the week, from Sunday 0:00 UTC on (MS-ADA1 section 2.376). */
export const HOURS_ATTRIBUTE = 'logonHours';

/** The number in `AcceptSecurityContext error, data 52e` is a Win32 error code (MS-ERREF section 2.2). */
const reasons: Readonly<Record<string, RefusalReason>> = {
  '525': 'unknown-user',
  '52e': 'wrong-password',
  '530': 'account-disabled', // not at this hour
  '531': 'account-disabled', // not from this workstation
  '532': 'password-expired',
  '533': 'account-disabled',
  '701': 'account-expired',
  '773': 'password-expired', // must be changed first
  '775': 'account-locked',
};

/** Why a bind was refused, from the server's words. */
export function reasonOfBind(words: string): RefusalReason | undefined {
  return reasons[/\bdata ([0-9a-f]+)\b/i.exec(words)?.[1]?.toLowerCase() ?? ''];
}

const DISABLED = 0x2;
const LOCKED = 0x10;
const PASSWORD_EXPIRED = 0x800000;
const NEVER = [0n, 0x7fffffffffffffffn];
/** 100 ns intervals from 1601 to 1970. */
const FILETIME_EPOCH = 116444736000000000n;

/** Why an entry may not log in, from its attributes (MS-ADTS sections 2.2.16 and 3.1.1.4.5.17); needed where no bind asks the directory. */
export function reasonOfState(entry: DirectoryEntry, now = Date.now()): RefusalReason | undefined {
  const flags = Number(entry.text('userAccountControl')[0] ?? 0) | Number(entry.text('msDS-User-Account-Control-Computed')[0] ?? 0);
  if (flags & DISABLED) return 'account-disabled';
  if (flags & LOCKED) return 'account-locked';
  const expires = BigInt(entry.text('accountExpires')[0] ?? 0);
  if (!NEVER.includes(expires) && expires < BigInt(now) * 10_000n + FILETIME_EPOCH) return 'account-expired';
  if (flags & PASSWORD_EXPIRED) return 'password-expired';
  return undefined;
}

/** Why Active Directory would refuse a bind whose password is right; to be looked at where a key or a certificate stands for the password. */
export function reasonWithoutBind(entry: DirectoryEntry, now = new Date()): RefusalReason | undefined {
  // This server is no workstation of theirs.
  if ((entry.text('userWorkstations')[0] ?? '') !== '') return 'account-disabled';
  const [hours] = entry.bytes(HOURS_ATTRIBUTE);
  if (!hours?.length) return undefined;
  const hour = now.getUTCDay() * 24 + now.getUTCHours();
  return ((hours[hour >> 3] ?? 0) >> (hour & 7)) & 1 ? undefined : 'account-disabled';
}
