import * as crypto from 'node:crypto';

/** The hash of something that is there as a whole, in hexadecimal digits. In one step where this Node has it (20.12): an object that hashes costs more than the hash of little. */
export function hashOf(algorithm: 'sha256' | 'sha384' | 'sha512', data: string | Buffer): string {
  return crypto.hash ? crypto.hash(algorithm, data) : crypto.createHash(algorithm).update(data).digest('hex');
}
