/** mlkem768x25519-sha256: ML-KEM-768 and X25519 together, so that what is recorded today stays unread as long as one of them holds (draft-ietf-sshm-mlkem-hybrid-kex). */
import * as nodeCrypto from 'node:crypto';
import type { Curve25519Exchange } from 'ssh2/lib/protocol/kex.js';

/** Lengths of the parts in bytes (FIPS 203 table 3; RFC 7748). */
const ENCAPSULATION_KEY = 1_184;
const X25519_KEY = 32;
/** SubjectPublicKeyInfo of an ML-KEM-768 key, up to the key (RFC 9935). */
const SPKI_PREFIX = Buffer.from('308204b2300b0609608648016503040402038204a100', 'hex');

/** Node's types are those of version 20, which has no ML-KEM. */
type Encapsulate = (key: nodeCrypto.KeyObject) => { readonly sharedKey: Buffer; readonly ciphertext: Buffer };
const encapsulate = (nodeCrypto as { encapsulate?: Encapsulate }).encapsulate;

/** Whether this Node.js has it, and its OpenSSL. */
export const hasMlKem = (() => {
  try {
    nodeCrypto.generateKeyPairSync('ml-kem-768' as 'x25519');
    return encapsulate !== undefined;
  } catch {
    return false;
  }
})();

type Constructor = new (...rest: readonly unknown[]) => Curve25519Exchange;

/** The key exchange of a server, upon that of X25519. */
export function mlKemExchange(base: typeof Curve25519Exchange): Constructor {
  return class MlKemExchange extends base {
    private ciphertext: Buffer | undefined;

    constructor(...rest: readonly unknown[]) {
      super('sha256', ...rest);
    }

    /** It is no number: nothing is stripped. */
    override convertPublicKey(key: Buffer): Buffer {
      return key;
    }

    override getPublicKey(): Buffer {
      return Buffer.concat([this.ciphertext!, super.getPublicKey()]);
    }

    override computeSecret(theirs: Buffer): Buffer | Error {
      if (theirs.length !== ENCAPSULATION_KEY + X25519_KEY) return new Error('a key of another length');
      try {
        const key = nodeCrypto.createPublicKey({
          key: Buffer.concat([SPKI_PREFIX, theirs.subarray(0, ENCAPSULATION_KEY)]),
          type: 'spki',
          format: 'der',
        });
        const { sharedKey, ciphertext } = encapsulate!(key);
        this.ciphertext = ciphertext;
        const classical = super.computeSecret(theirs.subarray(ENCAPSULATION_KEY));
        if (classical instanceof Error) return classical;
        return nodeCrypto.createHash('sha256').update(sharedKey).update(withoutMpint(classical)).digest();
      } catch (error) {
        return error as Error;
      }
    }
  };
}

/** The base answers its secret as an mpint: without leading zeros, with one before a high bit. Here it goes in as its 32 bytes. */
function withoutMpint(secret: Buffer): Buffer {
  const bytes = Buffer.alloc(X25519_KEY);
  const significant = secret.subarray(Math.max(0, secret.length - X25519_KEY));
  bytes.set(significant, X25519_KEY - significant.length);
  return bytes;
}
