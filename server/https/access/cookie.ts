/** The cookie that names a sign-in. Its prefix makes browsers keep it to this very host, over HTTPS alone (RFC 6265bis section 4.1.3.2). */
import { createHash, randomBytes } from 'node:crypto';

const NAME = '__Host-ftps';
const VALUE = /^[A-Za-z0-9_-]{43}$/;
const SEALED = /^([A-Za-z0-9_-]{43})(?:\.([A-Za-z0-9_-]{43}))?$/;

export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** By which a secret is looked up and kept. Of 256 bits by chance nobody guesses one, so that no slower hash is needed. */
export function keyOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** What the browser keeps: a secret, and a seal where one is asked for (`SignIns.sealOf`). */
export function cookieOf(secret: string, seal: string): string {
  return seal === '' ? secret : `${secret}.${seal}`;
}

/** Both, out of a header Cookie; undefined where there is none, or several. */
export function cookieIn(header: string | undefined): { readonly secret: string; readonly seal: string } | undefined {
  const [, secret, seal = ''] = SEALED.exec(valueNamed(NAME, header)) ?? [];
  return secret === undefined ? undefined : { secret, seal };
}

/** The secret in another cookie. */
export function secretNamed(cookie: string, header: string | undefined): string | undefined {
  const value = valueNamed(cookie, header);
  return VALUE.test(value) ? value : undefined;
}

function valueNamed(cookie: string, header = ''): string {
  const values = header.split(';').flatMap((pair) => {
    const [name, value = ''] = pair.trim().split('=', 2);
    return name === cookie ? [value] : [];
  });
  return values.length === 1 ? values[0]! : '';
}

export function setCookie(value: string): string {
  return `${NAME}=${value}; Path=/; Secure; HttpOnly; SameSite=Strict`;
}

export const CLEAR_COOKIE = `${NAME}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0`;
