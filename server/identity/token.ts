/** Tokens: what a program sends instead of a password. One names its account, so that it is found where the account is; of its secret a digest alone is kept there. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { type AccountToken, Networks } from '../config';
import { type AccessToken, isSignedBy } from './access-token';
import { standsFor } from './certificate-rule';
import type { TokenCredentials, Verdict } from './identity';
import { accountOf, recordOf } from './password-account';
import { within } from './scopes';
import type { PlainPasswordAccount } from './transfer-family';

/** By which programs that look for secrets in the wrong places find one. */
const TOKEN_PREFIX = 'ftps_';
const TOKEN = /^ftps_([A-Za-z0-9_-]{1,512})\.([a-z0-9]{8})\.([A-Za-z0-9_-]{43})$/;
const ID_LETTERS = 'abcdefghijklmnopqrstuvwxyz234567';

export interface Token {
  readonly user: string;
  readonly id: string;
  readonly secret: string;
}

export function newToken(user: string): Token {
  const id = Array.from(randomBytes(8), (byte) => ID_LETTERS[byte % ID_LETTERS.length]).join('');
  return { user, id, secret: randomBytes(32).toString('base64url') };
}

/** As a program sends it. */
export function writeToken({ user, id, secret }: Token): string {
  return `${TOKEN_PREFIX}${Buffer.from(user).toString('base64url')}.${id}.${secret}`;
}

export function readToken(text: string): Token | undefined {
  const [, user = '', id, secret] = TOKEN.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { user: Buffer.from(user, 'base64url').toString(), id, secret };
}

/** Of 256 bits by chance nobody guesses one, so that no slower hash is needed. */
export function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

export function checkToken(found: PlainPasswordAccount | undefined, credentials: TokenCredentials, source: string, now = Date.now()): Verdict {
  if (!found) return { kind: 'refused', reason: 'unknown-user' };
  const { token, address, certificate } = credentials;
  const kept = found.tokens?.find(({ id }) => id === token.id);
  if (!kept || !isOf(token, kept)) return { kind: 'refused', reason: 'unknown-token', source };
  const short = 'signature' in token ? token : undefined;
  if ((short && short.until <= now) || (kept.expires !== undefined && Date.parse(kept.expires) <= now))
    return { kind: 'refused', reason: 'token-expired', source };
  const account = accountOf(found);
  if (!account.enabled) return { kind: 'refused', reason: 'account-disabled', source };
  if (account.clientCertificate === 'required' && !certificate) return { kind: 'refused', reason: 'certificate-required', source };
  if (account.clientCertificate === 'required' && !standsFor(certificate!, account)) return { kind: 'refused', reason: 'certificate-not-mapped', source };
  if (kept.networks.length > 0 && !new Networks(kept.networks).contains(address)) return { kind: 'refused', reason: 'address-not-allowed', source };
  const scopes = kept.scopes.filter((scope) => short?.scopes.includes(scope) ?? true);
  return {
    kind: 'accepted',
    account: within(account, scopes),
    source,
    method: 'token',
    token: { id: kept.id, folder: kept.folder, ...(short || kept.key === undefined ? {} : { grants: scopes }) },
    fingerprint: digestOf(`${recordOf(found, source).fingerprint} ${JSON.stringify(kept)} ${short?.signed ?? ''}`),
  };
}

function isOf(token: Token | AccessToken, { sha256, key }: AccountToken): boolean {
  if ('signature' in token) return key !== undefined && isSignedBy(token, key);
  return timingSafeEqual(Buffer.from(digestOf(token.secret), 'hex'), Buffer.from(sha256, 'hex'));
}
