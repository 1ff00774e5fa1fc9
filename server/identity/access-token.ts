/**
 * Short-lived tokens (RFC 6749 section 4.4): a program sends its token where one is asked for, and goes on with what it is answered. Its secret is the
 * source of a key; of that the account keeps the public half beside the digest. What the key has signed is good on every worker and every instance,
 * nothing is kept of it, and nobody can make one of what is kept.
 */
import { createECDH, createPrivateKey, createPublicKey, ECDH, hkdfSync, type KeyObject, sign, verify } from 'node:crypto';
import type { Scope } from './scopes';

const PREFIX = 'ftpsa_';
const TOKEN = /^ftpsa_([A-Za-z0-9_-]{1,512})\.([a-z0-9]{8})\.([1-9a-z][0-9a-z]{5,8})\.(r?w?)\.([A-Za-z0-9_-]{86})$/;
const CURVE = 'prime256v1';
const PURPOSE = 'cdk-ftps short-lived tokens';
const LETTERS: readonly (readonly [Scope, string])[] = [
  ['read', 'r'],
  ['write', 'w'],
];

export interface AccessToken {
  readonly user: string;
  /** Of the token that it was made of. */
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly until: number;
  readonly scopes: readonly Scope[];
  readonly signed: string;
  readonly signature: Buffer;
}

/** The public half of the key of a secret, as it is kept beside the secret's digest. */
export function publicHalfOf(secret: string): string {
  return keysOf(secret).getPublicKey('base64url', 'compressed');
}

/** As a program sends it. */
export function writeAccessToken(
  { user, id, secret }: { readonly user: string; readonly id: string; readonly secret: string },
  scopes: readonly Scope[],
  until: number,
): string {
  const letters = LETTERS.map(([scope, letter]) => (scopes.includes(scope) ? letter : '')).join('');
  const text = `${PREFIX}${Buffer.from(user).toString('base64url')}.${id}.${Math.floor(until / 1000).toString(36)}.${letters}`;
  const keys = keysOf(secret);
  const key = createPrivateKey({ key: { ...jwkOf(keys.getPublicKey()), d: keys.getPrivateKey('base64url') }, format: 'jwk' });
  return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`;
}

export function readAccessToken(text: string): AccessToken | undefined {
  const [, user = '', id = '', until = '', letters = '', signature] = TOKEN.exec(text) ?? [];
  if (signature === undefined) return undefined;
  return {
    user: Buffer.from(user, 'base64url').toString(),
    id,
    until: Number.parseInt(until, 36) * 1000,
    scopes: LETTERS.filter(([, letter]) => letters.includes(letter)).map(([scope]) => scope),
    signed: text.slice(0, text.lastIndexOf('.')),
    signature: Buffer.from(signature, 'base64url'),
  };
}

/** Whether it was signed by the key of which this is the public half. */
export function isSignedBy({ signed, signature }: AccessToken, publicHalf: string): boolean {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: jwkOf(ECDH.convertKey(publicHalf, CURVE, 'base64url', undefined, 'uncompressed') as Buffer), format: 'jwk' });
  } catch {
    return false;
  }
  return verify('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' }, signature);
}

/** A number that is too large for the curve comes up once in four thousand millions; then the next one is taken. */
function keysOf(secret: string) {
  const keys = createECDH(CURVE);
  for (let count = 0; ; count += 1) {
    try {
      keys.setPrivateKey(Buffer.from(hkdfSync('sha256', secret, '', `${PURPOSE} ${count}`, 32)));
      return keys;
    } catch (error) {
      if (count > 2) throw error;
    }
  }
}

/** `point`: uncompressed. */
function jwkOf(point: Buffer) {
  return { kty: 'EC', crv: 'P-256', x: point.subarray(1, 33).toString('base64url'), y: point.subarray(33, 65).toString('base64url') };
}
