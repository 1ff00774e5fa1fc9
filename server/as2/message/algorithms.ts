/** Digests and ciphers by their names and object identifiers (RFC 5754, 8551, 5084). */
import type { Cipher, Digest } from './types';

export const DIGESTS: readonly Digest[] = ['sha1', 'sha256', 'sha384', 'sha512'];

const DIGEST_OIDS: Readonly<Record<Digest, string>> = {
  sha1: '1.3.14.3.2.26',
  sha256: '2.16.840.1.101.3.4.2.1',
  sha384: '2.16.840.1.101.3.4.2.2',
  sha512: '2.16.840.1.101.3.4.2.3',
};

/** What is known of a cipher: its object identifier, the lengths of key and initialization vector in bytes. */
export interface CipherFacts {
  readonly oid: string;
  readonly keyBytes: number;
  readonly ivBytes: number;
  readonly mode: 'cbc' | 'gcm';
}

export const CIPHERS: Readonly<Record<Cipher, CipherFacts>> = {
  'aes-128-cbc': { oid: '2.16.840.1.101.3.4.1.2', keyBytes: 16, ivBytes: 16, mode: 'cbc' },
  'aes-192-cbc': { oid: '2.16.840.1.101.3.4.1.22', keyBytes: 24, ivBytes: 16, mode: 'cbc' },
  'aes-256-cbc': { oid: '2.16.840.1.101.3.4.1.42', keyBytes: 32, ivBytes: 16, mode: 'cbc' },
  'aes-128-gcm': { oid: '2.16.840.1.101.3.4.1.6', keyBytes: 16, ivBytes: 12, mode: 'gcm' },
  'aes-192-gcm': { oid: '2.16.840.1.101.3.4.1.26', keyBytes: 24, ivBytes: 12, mode: 'gcm' },
  'aes-256-gcm': { oid: '2.16.840.1.101.3.4.1.46', keyBytes: 32, ivBytes: 12, mode: 'gcm' },
  'des-ede3-cbc': { oid: '1.2.840.113549.3.7', keyBytes: 24, ivBytes: 8, mode: 'cbc' },
};

/** A digest by any of the ways that peers spell it: `sha-256`, `SHA256`, `sha_256`, `rsa-sha256`. */
export function digestNamed(name: string): Digest | undefined {
  const plain = name.trim().toLowerCase().replace(/^rsa-/, '').replace(/[-_]/g, '');
  return DIGESTS.find((digest) => digest === plain);
}

/** RFC 5751's spelling. */
export function micName(digest: Digest): string {
  return digest.replace('sha', 'sha-');
}

export function digestOid(digest: Digest): string {
  return DIGEST_OIDS[digest];
}

export function digestOfOid(oid: string): Digest | undefined {
  return DIGESTS.find((digest) => DIGEST_OIDS[digest] === oid);
}

export function cipherOfOid(oid: string): Cipher | undefined {
  return (Object.keys(CIPHERS) as Cipher[]).find((cipher) => CIPHERS[cipher].oid === oid);
}
