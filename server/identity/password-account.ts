/** The decision about one account with a password hash, wherever the account came from. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { standsFor } from './certificate-rule';
import type { Account, ClientCertificate, Credentials, Verdict } from './identity';
import { pretendToVerify, verifyPassword } from './password';
import type { PlainPasswordAccount } from './transfer-family';

/**
 * Checks a password. For an unknown user the same work is done, against a hash like `likeHash`, and only then refused; all
 * further reasons to refuse are looked at after the password, so that a stranger learns none of them from the time it takes.
 */
export async function checkPassword(
  found: PlainPasswordAccount | undefined,
  { password = '', certificate }: Credentials,
  source: string,
  likeHash?: string,
): Promise<Verdict> {
  if (!found) {
    await pretendToVerify(password, likeHash);
    return { kind: 'refused', reason: 'unknown-user' };
  }
  if (!(await matches(password, found, likeHash))) return { kind: 'refused', reason: 'wrong-password', source };
  return afterPassword(accountOf(found), certificate, source);
}

async function matches(password: string, { passwordHash, plainPassword }: PlainPasswordAccount, likeHash: string | undefined): Promise<boolean> {
  if (passwordHash !== undefined) return verifyPassword(password, passwordHash);
  await pretendToVerify(password, likeHash);
  return plainPassword !== undefined && timingSafeEqual(digest(password), digest(plainPassword));
}

const digest = (text: string) => createHash('sha256').update(text).digest();

/** What else is asked of an account whose password was right. */
export function afterPassword(account: Account, certificate: ClientCertificate | undefined, source: string): Verdict {
  if (!account.enabled) return { kind: 'refused', reason: 'account-disabled', source };
  if (account.clientCertificate === 'no') return { kind: 'accepted', account, source, method: 'password' };
  if (!certificate) return { kind: 'refused', reason: 'certificate-required', source };
  if (!standsFor(certificate, account)) return { kind: 'refused', reason: 'certificate-not-mapped', source };
  return { kind: 'accepted', account, source, method: 'password+certificate' };
}

/** Checks whether the certificate alone is enough for this account. */
export function checkCertificate(account: Account | undefined, certificate: ClientCertificate, source: string): Verdict {
  if (!account) return { kind: 'refused', reason: 'unknown-user' };
  // An account that asks for a password is known all the same: no later source is asked about its name.
  if (account.clientCertificate !== 'instead-of-password' || !standsFor(certificate, account))
    return { kind: 'refused', reason: 'certificate-not-mapped', source };
  if (!account.enabled) return { kind: 'refused', reason: 'account-disabled', source };
  return { kind: 'accepted', account, source, method: 'certificate' };
}

/** The account without its password or hash: nothing behind the login needs it. */
export function accountOf({ passwordHash: _hash, plainPassword: _password, ...account }: PlainPasswordAccount): Account {
  return account;
}
