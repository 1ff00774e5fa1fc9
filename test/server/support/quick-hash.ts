import { randomBytes, scryptSync } from 'node:crypto';
import { secret } from './written';

/** A hash of a password that is quick to check: what a login really costs is the business of the tests of passwords. */
export function quickHash(password: string): string {
  const salt = randomBytes(16);
  const key = scryptSync(password, salt, 32, { N: 2 ** 4, r: 8, p: 1 });
  return secret(`$scrypt$ln=4,r=8,p=1$${salt.toString('base64')}$${key.toString('base64')}`);
}
