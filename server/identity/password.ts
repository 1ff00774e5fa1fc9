/** Password hashes as PHC strings: scrypt, or PBKDF2-HMAC-SHA-256 where FIPS allows nothing else. */
import { pbkdf2, randomBytes, scrypt, scryptSync } from 'node:crypto';
import { promisify } from 'node:util';

const scryptAsync = promisify<string, Buffer, number, { N: number; r: number; p: number; maxmem: number }, Buffer>(scrypt);
const pbkdf2Async = promisify(pbkdf2);

/** OWASP Password Storage Cheat Sheet: scrypt N=2^15, r=8, p=3 costs 32 MiB and about a tenth of a second. */
const SCRYPT = { ln: 15, r: 8, p: 3 };
/** The same source for PBKDF2-HMAC-SHA-256. */
const PBKDF2_ITERATIONS = 600_000;
const SALT_BYTES = 16;
const KEY_BYTES = 32;

/** What a hash costs at most: a hash that asks for more is no honest one. */
export const MOST_SCRYPT_MEMORY = 256 * 1024 * 1024;
const MOST_PBKDF2_ITERATIONS = 10_000_000;

/** A PHC string as it was read. */
export type Hash =
  | { readonly kind: 'scrypt'; readonly ln: number; readonly r: number; readonly p: number; readonly salt: Buffer; readonly key: Buffer }
  | { readonly kind: 'pbkdf2-sha256'; readonly iterations: number; readonly salt: Buffer; readonly key: Buffer };

/** Hashes a password with a fresh salt. `fips` chooses PBKDF2; the default follows what OpenSSL's provider can. */
export async function hashPassword(password: string, { fips = !canScrypt() } = {}): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  if (fips)
    return `$pbkdf2-sha256$i=${PBKDF2_ITERATIONS}$${base64(salt)}$${base64(await derive({ kind: 'pbkdf2-sha256', iterations: PBKDF2_ITERATIONS, salt, key: Buffer.alloc(KEY_BYTES) }, password))}`;
  const { ln, r, p } = SCRYPT;
  return `$scrypt$ln=${ln},r=${r},p=${p}$${base64(salt)}$${base64(await derive({ kind: 'scrypt', ...SCRYPT, salt, key: Buffer.alloc(KEY_BYTES) }, password))}`;
}

/** Why passwords can't be checked against this hash here, if they can't. */
export function hashProblem(phc: string): string | undefined {
  if (!phc.startsWith('$scrypt$') || canScrypt()) return undefined;
  return 'is a scrypt hash, and the FIPS provider does not compute scrypt; hash the password anew with `ftps user hash --fips`';
}

let scryptWorks: boolean | undefined;
/** Within FIPS 140-3 there is no scrypt. */
function canScrypt(): boolean {
  if (scryptWorks === undefined) {
    try {
      scryptSync('', '', 16, { N: 2 });
      scryptWorks = true;
    } catch {
      scryptWorks = false;
    }
  }
  return scryptWorks;
}

/** A hash that no password belongs to and that costs what new ones cost. */
export function blankHash(): Hash {
  const blank = { salt: Buffer.alloc(SALT_BYTES), key: Buffer.alloc(KEY_BYTES) };
  return canScrypt() ? { kind: 'scrypt', ...SCRYPT, ...blank } : { kind: 'pbkdf2-sha256', iterations: PBKDF2_ITERATIONS, ...blank };
}

/** A PHC string that can be checked; undefined where it can't be read, or asks for more than an honest one. */
export function parseHash(phc: string): Hash | undefined {
  const [empty, kind, parameters = '', salt = '', key = ''] = phc.split('$');
  if (empty !== '' || salt === '' || key === '') return undefined;
  const numbers = new Map(parameters.split(',').map((pair) => pair.split('=') as [string, string]));
  const number = (name: string) => (/^\d{1,9}$/.test(numbers.get(name) ?? '') ? Number(numbers.get(name)) : 0);
  const bytes = { salt: Buffer.from(salt, 'base64'), key: Buffer.from(key, 'base64') };
  if (bytes.key.length < 16 || bytes.key.length > 64) return undefined;
  if (kind === 'scrypt') {
    const [ln, r, p] = [number('ln'), number('r'), number('p')];
    return ln >= 1 && ln <= 24 && r >= 1 && p >= 1 && p <= 16 && 128 * r * 2 ** ln <= MOST_SCRYPT_MEMORY ? { kind, ln, r, p, ...bytes } : undefined;
  }
  if (kind === 'pbkdf2-sha256') {
    const iterations = number('i');
    return iterations >= 1 && iterations <= MOST_PBKDF2_ITERATIONS ? { kind, iterations, ...bytes } : undefined;
  }
  return undefined;
}

function derive(hash: Hash, password: string): Promise<Buffer> {
  return hash.kind === 'scrypt'
    ? scryptAsync(password, hash.salt, hash.key.length, { N: 2 ** hash.ln, r: hash.r, p: hash.p, maxmem: 2 * MOST_SCRYPT_MEMORY })
    : pbkdf2Async(password, hash.salt, hash.iterations, hash.key.length, 'sha256');
}

function base64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}
