/** How signatures are named and made: RSA PKCS#1 v1.5, RSA PSS, ECDSA (RFC 3370, 4056, 5754, 5753). By node:crypto, off the event loop. */
import { constants, type KeyObject, publicDecrypt, sign, verify } from 'node:crypto';
import { digestOfOid, digestOid } from '../algorithms';
import { MessageFailure } from '../failure';
import type { Digest, RsaSignature } from '../types';
import { algorithm, element, integer, type Node, NULL, octetString, sequence } from './der';
import { EC_PUBLIC_KEY, MGF1, RSA, RSA_PSS } from './oids';

export interface SignatureAlgorithm {
  readonly kind: RsaSignature | 'ecdsa';
  readonly digest: Digest;
  /** Of PSS, bytes. */
  readonly salt: number;
}

/** With their digests; the bare keys' identifiers take that of the signer. */
const COMBINED: Readonly<Record<string, { readonly kind: 'pkcs1' | 'ecdsa'; readonly digest: Digest | undefined }>> = {
  [RSA]: { kind: 'pkcs1', digest: undefined },
  '1.2.840.113549.1.1.5': { kind: 'pkcs1', digest: 'sha1' },
  '1.2.840.113549.1.1.11': { kind: 'pkcs1', digest: 'sha256' },
  '1.2.840.113549.1.1.12': { kind: 'pkcs1', digest: 'sha384' },
  '1.2.840.113549.1.1.13': { kind: 'pkcs1', digest: 'sha512' },
  [EC_PUBLIC_KEY]: { kind: 'ecdsa', digest: undefined },
  '1.2.840.10045.4.1': { kind: 'ecdsa', digest: 'sha1' },
  '1.2.840.10045.4.3.2': { kind: 'ecdsa', digest: 'sha256' },
  '1.2.840.10045.4.3.3': { kind: 'ecdsa', digest: 'sha384' },
  '1.2.840.10045.4.3.4': { kind: 'ecdsa', digest: 'sha512' },
};
const DIGEST_BYTES: Readonly<Record<Digest, number>> = { sha1: 20, sha256: 32, sha384: 48, sha512: 64 };

/** Reads an AlgorithmIdentifier. Throws a MessageFailure where it is not known. */
export function readSignatureAlgorithm(identifier: Node, ofSigner: Digest): SignatureAlgorithm {
  const id = identifier.child(0).oid;
  if (id === RSA_PSS) return pss(identifier.children[1]);
  const combined = COMBINED[id];
  if (!combined) throw new MessageFailure('unsupported MIC-algorithms', `the message is signed by an algorithm that is not known (${id})`);
  return { kind: combined.kind, digest: combined.digest ?? ofSigner, salt: 0 };
}

export async function isSigned(by: SignatureAlgorithm, key: KeyObject, data: Buffer, signature: Buffer): Promise<boolean> {
  if (!fits(by.kind, key)) return false;
  return new Promise((resolve) => verify(by.digest, data, options(by, key), signature, (error, isRight) => resolve(!error && isRight)));
}

/** Whether it signs a digest that was made before, which only PKCS#1 v1.5 lets one ask: the signature of who writes no signed attributes. */
export function isSignedDigest(by: SignatureAlgorithm, key: KeyObject, digest: Buffer, signature: Buffer): boolean {
  if (by.kind !== 'pkcs1' || !fits(by.kind, key)) return false;
  try {
    const signed = publicDecrypt({ key, padding: constants.RSA_PKCS1_PADDING }, signature);
    return [NULL, undefined].some((parameters) => signed.equals(sequence(algorithm(digestOid(by.digest), parameters), octetString(digest))));
  } catch {
    return false;
  }
}

/** What signs with a key: RSA as asked, elliptic curves by ECDSA. */
export function signatureFor(key: KeyObject, digest: Digest, rsa: RsaSignature | undefined): SignatureAlgorithm {
  if (key.asymmetricKeyType === 'ec') return { kind: 'ecdsa', digest, salt: 0 };
  if (key.asymmetricKeyType === 'rsa') return { kind: rsa ?? 'pkcs1', digest, salt: DIGEST_BYTES[digest] };
  throw new Error(`A key of the type ${key.asymmetricKeyType} does not sign messages; RSA and elliptic curves do`);
}

export async function signed(by: SignatureAlgorithm, key: KeyObject, data: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => sign(by.digest, data, options(by, key), (error, signature) => (error ? reject(error) : resolve(signature))));
}

/** The AlgorithmIdentifier. PKCS#1 v1.5 is named by its key alone, which every peer reads. */
export function writeSignatureAlgorithm(by: SignatureAlgorithm): Buffer {
  if (by.kind === 'pkcs1') return algorithm(RSA, NULL);
  if (by.kind === 'ecdsa') return algorithm(Object.keys(COMBINED).find((id) => COMBINED[id]!.kind === 'ecdsa' && COMBINED[id]!.digest === by.digest)!);
  const digest = algorithm(digestOid(by.digest), NULL);
  return algorithm(RSA_PSS, sequence(element(0xa0, digest), element(0xa1, algorithm(MGF1, digest)), element(0xa2, integer(by.salt))));
}

/** How long a signature is, or undefined where that differs from one to the next. */
export function signatureBytes(key: KeyObject): number | undefined {
  const bits = key.asymmetricKeyDetails?.modulusLength;
  return key.asymmetricKeyType === 'rsa' && bits ? Math.ceil(bits / 8) : undefined;
}

/** RFC 4055 section 3.1: what is left out is SHA-1, a mask by SHA-1, twenty bytes of salt. */
function pss(parameters: Node | undefined): SignatureAlgorithm {
  const fields = parameters?.tag === 0x30 ? parameters.children : [];
  const field = (tag: number) => fields.find((one) => one.tag === tag)?.child(0);
  const hash = field(0xa0);
  const mask = field(0xa1)?.child(1);
  const digest = hash ? digestOfOid(hash.child(0).oid) : 'sha1';
  const maskDigest = mask ? digestOfOid(mask.child(0).oid) : 'sha1';
  if (!digest || digest !== maskDigest)
    throw new MessageFailure('unsupported MIC-algorithms', 'the message is signed by PSS with digests that are not known, or two that differ');
  return { kind: 'pss', digest, salt: field(0xa2)?.integer ?? 20 };
}

function fits(kind: SignatureAlgorithm['kind'], key: KeyObject): boolean {
  if (kind === 'ecdsa') return key.asymmetricKeyType === 'ec';
  return key.asymmetricKeyType === 'rsa' || (kind === 'pss' && key.asymmetricKeyType === 'rsa-pss');
}

function options(by: SignatureAlgorithm, key: KeyObject) {
  return by.kind === 'pss' ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: by.salt } : { key };
}
