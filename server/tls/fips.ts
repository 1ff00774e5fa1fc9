/**
 * Whether OpenSSL really runs within FIPS 140-3. Asked by behaviour, because crypto.getFips() answers 1 on a stock Node that has
 * no such provider at all: MD5 must be refused, and SHA-256 must work.
 */
import { createHash } from 'node:crypto';

/** Throws an Error for the operator where the provider does not behave so. */
export function assertFips(): void {
  if (digests('md5'))
    throw new Error(
      'tls.policy: "fips" needs an OpenSSL provider for FIPS, and this one computes MD5; load it by OPENSSL_CONF and OPENSSL_MODULES, or choose "modern"',
    );
  if (!digests('sha256'))
    throw new Error('tls.policy: "fips" found an OpenSSL provider that can not compute SHA-256; the module is broken or not installed by openssl fipsinstall');
}

function digests(algorithm: string): boolean {
  try {
    createHash(algorithm).update('').digest();
    return true;
  } catch {
    return false;
  }
}
