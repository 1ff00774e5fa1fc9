/** The key of a message, kept by ECDH: X9.63's derivation and AES key wrap (RFC 5753 section 3.1, RFC 3394). */
import { createCipheriv, createDecipheriv, createHash, createPublicKey, diffieHellman, type KeyObject } from 'node:crypto';
import type { Digest } from '../types';
import { algorithm, element, malformed, type Node, octetString, readWhole, sequence } from './der';

/** dhSinglePass-stdDH and -cofactorDH, which are the same on curves whose cofactor is one. */
const DERIVATIONS: Readonly<Record<string, Digest>> = {
  '1.3.133.16.840.63.0.2': 'sha1',
  '1.3.132.1.11.1': 'sha256',
  '1.3.132.1.11.2': 'sha384',
  '1.3.132.1.11.3': 'sha512',
  '1.3.133.16.840.63.0.3': 'sha1',
  '1.3.132.1.14.1': 'sha256',
  '1.3.132.1.14.2': 'sha384',
  '1.3.132.1.14.3': 'sha512',
};
const SHA256_DERIVATION = '1.3.132.1.11.1';

interface Wrap {
  readonly cipher: string;
  readonly keyBytes: number;
}
const WRAPS: Readonly<Record<string, Wrap>> = {
  '2.16.840.1.101.3.4.1.5': { cipher: 'id-aes128-wrap', keyBytes: 16 },
  '2.16.840.1.101.3.4.1.25': { cipher: 'id-aes192-wrap', keyBytes: 24 },
  '2.16.840.1.101.3.4.1.45': { cipher: 'id-aes256-wrap', keyBytes: 32 },
};
const WRAP_IV = Buffer.alloc(8, 0xa6);

/** The derivation and the wrap of a key agreement, or undefined where they are not known. */
function agreementOf(keyEncryption: Node): { readonly digest: Digest; readonly wrapId: Node; readonly wrap: Wrap } | undefined {
  const digest = DERIVATIONS[keyEncryption.child(0).oid];
  const wrapId = keyEncryption.children[1];
  const wrap = wrapId && WRAPS[wrapId.child(0).oid];
  return digest && wrapId && wrap ? { digest, wrapId, wrap } : undefined;
}

/** Throws where it does not fit. */
export function unwrapAgreed(
  key: KeyObject,
  certificateKey: KeyObject,
  point: Buffer,
  keyEncryption: Node,
  userKeyingMaterial: Buffer | undefined,
  wrapped: Buffer,
): Buffer {
  const agreement = agreementOf(keyEncryption);
  if (!agreement) throw malformed('a key agreement is not known');
  const { digest, wrapId, wrap } = agreement;
  const secret = diffieHellman({ privateKey: key, publicKey: onSameCurve(certificateKey, point) });
  const wrapKey = derived(digest, secret, wrapId.raw, wrap.keyBytes, userKeyingMaterial);
  const cipher = createDecipheriv(wrap.cipher, wrapKey, WRAP_IV);
  return Buffer.concat([cipher.update(wrapped), cipher.final()]);
}

/** Wraps a key for a certificate, with a key pair of the moment on its curve. */
export function wrapAgreed(ephemeral: KeyObject, certificateKey: KeyObject, contentKey: Buffer): { readonly keyEncryption: Buffer; readonly wrapped: Buffer } {
  const wrapOid = Object.keys(WRAPS).find((id) => WRAPS[id]!.keyBytes === (contentKey.length === 24 ? 24 : contentKey.length === 16 ? 16 : 32))!;
  const wrap = WRAPS[wrapOid]!;
  const wrapId = algorithm(wrapOid);
  const wrapKey = derived('sha256', diffieHellman({ privateKey: ephemeral, publicKey: certificateKey }), wrapId, wrap.keyBytes, undefined);
  const cipher = createCipheriv(wrap.cipher, wrapKey, WRAP_IV);
  return { keyEncryption: algorithm(SHA256_DERIVATION, wrapId), wrapped: Buffer.concat([cipher.update(contentKey), cipher.final()]) };
}

/** X9.63, with ECC-CMS-SharedInfo (RFC 5753 section 7.2). */
function derived(digest: Digest, secret: Buffer, wrapId: Buffer, keyBytes: number, userKeyingMaterial: Buffer | undefined): Buffer {
  const bits = Buffer.alloc(4);
  bits.writeUInt32BE(8 * keyBytes);
  const info = sequence(wrapId, ...(userKeyingMaterial ? [element(0xa0, octetString(userKeyingMaterial))] : []), element(0xa2, octetString(bits)));
  const pieces: Buffer[] = [];
  const counter = Buffer.alloc(4);
  for (let have = 0, count = 1; have < keyBytes; count++) {
    counter.writeUInt32BE(count);
    const piece = createHash(digest).update(secret).update(counter).update(info).digest();
    pieces.push(piece);
    have += piece.length;
  }
  return Buffer.concat(pieces).subarray(0, keyBytes);
}

/** The sender's point as a key on the recipient's curve; Node.js throws where it does not lie on it. */
function onSameCurve(key: KeyObject, point: Buffer): KeyObject {
  const curve = readWhole(key.export({ format: 'der', type: 'spki' })).child(0).raw;
  return createPublicKey({ format: 'der', type: 'spki', key: sequence(curve, element(0x03, Buffer.concat([Buffer.alloc(1), point]))) });
}
