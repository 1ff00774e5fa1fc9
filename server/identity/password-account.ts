/** The decision about one account with a password hash, wherever the account came from. */
import type { PasswordAccount } from '../config';
import { standsFor } from './certificate-rule';
import type { Account, ClientCertificate, Credentials, Verdict } from './identity';
import { pretendToVerify, verifyPassword } from './password';

/**
 * Checks a password. For an unknown user the same work is done, against a hash like `likeHash`, and only then refused; all
 * further reasons to refuse are looked at after the password, so that a stranger learns none of them from the time it takes.
 */
export async function checkPassword(
  found: PasswordAccount | undefined,
  { password = '', certificate }: Credentials,
  source: string,
  likeHash?: string,
): Promise<Verdict> {
  if (!found?.passwordHash) {
    await pretendToVerify(password, likeHash);
    return { kind: 'refused', reason: found ? 'wrong-password' : 'unknown-user', source: found ? source : undefined };
  }
  if (!(await verifyPassword(password, found.passwordHash))) return { kind: 'refused', reason: 'wrong-password', source };
  if (!found.enabled) return { kind: 'refused', reason: 'account-disabled', source };
  if (found.clientCertificate !== 'no') {
    if (!certificate) return { kind: 'refused', reason: 'certificate-required', source };
    if (!standsFor(certificate, found)) return { kind: 'refused', reason: 'certificate-not-mapped', source };
  }
  return { kind: 'accepted', account: accountOf(found), source, method: found.clientCertificate === 'no' ? 'password' : 'password+certificate' };
}

/** Checks whether the certificate alone is enough for this account. */
export function checkCertificate(found: PasswordAccount | undefined, certificate: ClientCertificate, source: string): Verdict {
  if (found?.clientCertificate !== 'instead-of-password') return { kind: 'refused', reason: 'unknown-user' };
  if (!standsFor(certificate, found)) return { kind: 'refused', reason: 'certificate-not-mapped', source };
  if (!found.enabled) return { kind: 'refused', reason: 'account-disabled', source };
  return { kind: 'accepted', account: accountOf(found), source, method: 'certificate' };
}

/** The account without its hash: nothing behind the login needs it. */
function accountOf({ passwordHash: _, ...account }: PasswordAccount): Account {
  return account;
}
