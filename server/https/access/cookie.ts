/** The cookie that names a sign-in. Its prefix makes browsers keep it to this very host, over HTTPS alone (RFC 6265bis section 4.1.3.2). */
import { createHash, randomBytes } from 'node:crypto';

const NAME = '__Host-ftps';
const VALUE = /^[A-Za-z0-9_-]{43}$/;

export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** By which a secret is looked up and kept. Of 256 bits by chance nobody guesses one, so that no slower hash is needed. */
export function keyOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** The secret in a header Cookie; undefined where there is none, or several. */
export function secretIn(header: string | undefined): string | undefined {
  return secretNamed(NAME, header);
}

/** The same of another cookie. */
export function secretNamed(cookie: string, header: string | undefined): string | undefined {
  const values = (header ?? '').split(';').flatMap((pair) => {
    const [name, value = ''] = pair.trim().split('=', 2);
    return name === cookie ? [value] : [];
  });
  return values.length === 1 && VALUE.test(values[0]!) ? values[0] : undefined;
}

export function setCookie(secret: string): string {
  return `${NAME}=${secret}; Path=/; Secure; HttpOnly; SameSite=Strict`;
}

export const CLEAR_COOKIE = `${NAME}=; Path=/; Secure; HttpOnly; SameSite=Strict; Max-Age=0`;
