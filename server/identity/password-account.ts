/** The decision about one account with a password hash, wherever the account came from. */
import { createHash, timingSafeEqual } from 'node:crypto';
import { standsFor } from './certificate-rule';
import type { HashCosts } from './hash-costs';
import type { PasswordAnswer, PasswordChecks } from './hashing/checks';
import type { Account, AccountRecord, ClientCertificate, Credentials, KeyCredentials, RefusalReason, SshCertificate, Verdict } from './identity';
import { apart, stepOf } from './totp';
import type { PlainPasswordAccount } from './transfer-family';

export interface CheckedBy {
  readonly passwords: PasswordChecks;
  readonly costs: HashCosts;
  readonly source: string;
}

/**
 * Checks a password. For an unknown user the same work is done, against a hash that costs as much, and only then refused; all
 * further reasons to refuse are looked at after the password, so that a stranger learns none of them from the time it takes.
 */
export async function checkPassword(found: PlainPasswordAccount | undefined, credentials: Credentials, by: CheckedBy): Promise<Verdict> {
  const asksForCode = found?.totp !== undefined && !found.totp.without.some((one) => one === credentials.protocol);
  const { password, code } = asksForCode ? apart(credentials) : credentials;
  const answer = await compare(found, { ...credentials, password }, by);
  if (answer === 'busy') return { kind: 'unavailable', reason: 'more passwords wait to be checked than can be in time' };
  if (!found) return { kind: 'refused', reason: 'unknown-user' };
  if (answer === 'wrong') return { kind: 'refused', reason: 'wrong-password', source: by.source };
  const { account, fingerprint } = recordOf(found, by.source);
  const verdict = afterPassword(account, credentials, by.source);
  if (verdict.kind !== 'accepted') return verdict;
  // What has no fingerprint is not remembered: where a code is asked for, the password alone never lets anybody in.
  if (!found.totp) return { ...verdict, fingerprint };
  return asksForCode ? withCode(found, verdict, code, by) : { ...verdict, once: true };
}

/** Only a code that belongs to the right password is used up. */
async function withCode(
  { user, totp }: PlainPasswordAccount,
  verdict: Extract<Verdict, { kind: 'accepted' }>,
  code: string | undefined,
  { passwords, source }: CheckedBy,
): Promise<Verdict> {
  const step = stepOf(totp!.secret, code);
  if (step === undefined || !(await passwords.spend(user, step))) return { kind: 'refused', reason: 'wrong-code', source };
  const { method } = verdict;
  return {
    ...verdict,
    method: method === 'password' || method === 'password+certificate' || method === 'publickey+password' ? `${method}+totp` : method,
    once: true,
  };
}

async function compare(found: PlainPasswordAccount | undefined, credentials: Credentials, { passwords, costs }: CheckedBy): Promise<PasswordAnswer> {
  const { user, password = '', address, isKnown = false } = credentials;
  if (found?.passwordHash !== undefined) return passwords.check({ password, phc: found.passwordHash, address, isKnown });
  const answer = await passwords.check({ password, phc: costs.of(user), isUnknown: true, address, isKnown });
  const isRight = found?.plainPassword !== undefined && timingSafeEqual(digest(password), digest(found.plainPassword));
  return answer === 'wrong' && isRight ? 'right' : answer;
}

/** An account with what its password is checked against. Tokens come and go without a change of it. */
export function recordOf(found: PlainPasswordAccount, source: string): AccountRecord {
  return {
    account: accountOf(found),
    source,
    fingerprint: digest(JSON.stringify({ ...found, tokens: undefined })).toString('base64'),
    tokens: (found.tokens ?? []).map(({ id, scopes, folder, expires }) => ({ id, scopes, folder, expires })),
  };
}

const digest = (text: string) => createHash('sha256').update(text).digest();

/** What else is asked of an account whose password was right. */
export function afterPassword(account: Account, { certificate, hasKey }: Pick<Credentials, 'certificate' | 'hasKey'>, source: string): Verdict {
  if (!account.enabled) return { kind: 'refused', reason: 'account-disabled', source };
  if (hasKey) return { kind: 'accepted', account, source, method: 'publickey+password' };
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

/** Checks whether the account may be used by whom an issuer vouches for: what it asks for beside a password, it asks of him as well. */
export function checkVouched(account: Account | undefined, certificate: ClientCertificate | undefined, source: string): Verdict {
  if (!account) return { kind: 'refused', reason: 'unknown-user' };
  if (!account.enabled) return { kind: 'refused', reason: 'account-disabled', source };
  if (account.clientCertificate === 'required' && !certificate) return { kind: 'refused', reason: 'certificate-required', source };
  if (account.clientCertificate === 'required' && !standsFor(certificate!, account)) return { kind: 'refused', reason: 'certificate-not-mapped', source };
  return { kind: 'accepted', account, source, method: 'jwt' };
}

/** The same of an account with a record. */
export function checkVouchedRecord(found: PlainPasswordAccount | undefined, certificate: ClientCertificate | undefined, source: string): Verdict {
  const verdict = checkVouched(found && accountOf(found), certificate, source);
  return found && verdict.kind === 'accepted' ? { ...verdict, fingerprint: recordOf(found, source).fingerprint } : verdict;
}

/** Checks whether the key, or the certificate that it comes in, is one of the account's. */
export function checkKey(account: Account | undefined, { key, certificate }: Pick<KeyCredentials, 'key' | 'certificate'>, source: string): Verdict {
  if (!account) return { kind: 'refused', reason: 'unknown-user' };
  const reason = certificate ? againstCertificate(account, certificate) : hasKey(account.publicKeys, key) ? undefined : 'unknown-key';
  if (reason) return { kind: 'refused', reason, source };
  if (!account.enabled) return { kind: 'refused', reason: 'account-disabled', source };
  return { kind: 'accepted', account, source, method: 'publickey' };
}

/** Whether a key is among lines as authorized_keys has them: type, key, comment. */
export function hasKey(lines: readonly string[] | undefined, key: Buffer): boolean {
  const wanted = key.toString('base64');
  return (lines ?? []).some((line) => line.split(' ', 2)[1] === wanted);
}

/** A certificate without principals stands for nobody, as in OpenSSH. */
function againstCertificate({ user, sshCertificates }: Account, { authority, isTrusted, principals }: SshCertificate): RefusalReason | undefined {
  const { authorities, principals: wanted = [user] } = sshCertificates ?? {};
  if (authorities ? !hasKey(authorities, authority) : !isTrusted) return 'unknown-authority';
  return wanted.some((one) => principals.includes(one)) ? undefined : 'principal-not-listed';
}

/** The account without its password, hash and secret of codes, and without its tokens: nothing behind the login needs them. */
export function accountOf({ passwordHash: _hash, plainPassword: _password, tokens: _tokens, totp: _totp, ...account }: PlainPasswordAccount): Account {
  return account;
}
