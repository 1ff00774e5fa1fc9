/** Writes enveloped-data and auth-enveloped-data (RFC 5652 section 6, RFC 5083). */
import { type CipherGCM, constants, createCipheriv, generateKeyPairSync, publicEncrypt, randomBytes, type X509Certificate } from 'node:crypto';
import { CIPHERS, digestOid } from '../algorithms';
import type { Digest, SealOptions } from '../types';
import { wrapAgreed } from './agreed-key';
import { issuerAndSerial } from './certificate';
import { algorithm, element, integer, NULL, octetString, oid, readWhole, sequence, setOf } from './der';
import { AUTH_ENVELOPED_DATA, DATA, EC_PUBLIC_KEY, ENVELOPED_DATA, MGF1, RSA, RSA_OAEP } from './oids';
import type { Piece } from './writer';

/** Of AES-GCM, bytes. */
const TAG = 16;

export function encrypting(
  content: { readonly size: number | undefined; readonly body: AsyncIterable<Buffer> },
  options: NonNullable<SealOptions['encrypt']>,
): Piece {
  const facts = CIPHERS[options.cipher];
  const isAuthenticated = facts.mode === 'gcm';
  const key = randomBytes(facts.keyBytes);
  const iv = randomBytes(facts.ivBytes);
  const cipher = createCipheriv(options.cipher, key, iv);
  async function* body() {
    for await (const chunk of content.body) {
      const encrypted = cipher.update(chunk);
      if (encrypted.length > 0) yield encrypted;
    }
    const last = cipher.final();
    if (last.length > 0) yield last;
  }
  const parameters = isAuthenticated ? sequence(octetString(iv), integer(TAG)) : octetString(iv);
  const block = facts.ivBytes;
  const size = content.size === undefined || isAuthenticated ? content.size : content.size - (content.size % block) + block;
  const hasAgreement = options.for.some(({ publicKey }) => publicKey.asymmetricKeyType === 'ec');
  const data: Piece = {
    tag: 0x30,
    inside: [
      integer(hasAgreement && !isAuthenticated ? 2 : 0),
      setOf(...options.for.map((certificate) => recipient(certificate, key, options))),
      { tag: 0x30, inside: [oid(DATA), algorithm(facts.oid, parameters), { tag: 0x80, size, body: body() }] },
      ...(isAuthenticated ? [{ size: TAG + 2, bytes: async () => octetString((cipher as CipherGCM).getAuthTag()) }] : []),
    ],
  };
  return { tag: 0x30, inside: [oid(isAuthenticated ? AUTH_ENVELOPED_DATA : ENVELOPED_DATA), { tag: 0xa0, inside: [data] }] };
}

function recipient(certificate: X509Certificate, key: Buffer, { transport, oaepDigest }: NonNullable<SealOptions['encrypt']>): Buffer {
  const { publicKey } = certificate;
  if (publicKey.asymmetricKeyType === 'ec') return agreement(certificate, key);
  if (publicKey.asymmetricKeyType !== 'rsa')
    throw new Error(`A message is not encrypted for a key of the type ${publicKey.asymmetricKeyType}; it is for RSA and elliptic curves`);
  const isOaep = transport === 'rsa-oaep';
  const digest = oaepDigest ?? 'sha256';
  const wrapped = publicEncrypt(
    isOaep ? { key: publicKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: digest } : { key: publicKey, padding: constants.RSA_PKCS1_PADDING },
    key,
  );
  return sequence(integer(0), issuerAndSerial(certificate), isOaep ? oaep(digest) : algorithm(RSA, NULL), octetString(wrapped));
}

function oaep(digest: Digest): Buffer {
  const hash = algorithm(digestOid(digest), NULL);
  // DER leaves out what is the default.
  return algorithm(RSA_OAEP, digest === 'sha1' ? sequence() : sequence(element(0xa0, hash), element(0xa1, algorithm(MGF1, hash))));
}

function agreement(certificate: X509Certificate, key: Buffer): Buffer {
  const { publicKey } = certificate;
  const ephemeral = generateKeyPairSync('ec', { namedCurve: publicKey.asymmetricKeyDetails!.namedCurve! });
  const point = readWhole(ephemeral.publicKey.export({ format: 'der', type: 'spki' })).child(1).raw;
  const { keyEncryption, wrapped } = wrapAgreed(ephemeral.privateKey, publicKey, key);
  return element(
    0xa1,
    integer(3),
    element(0xa0, element(0xa1, algorithm(EC_PUBLIC_KEY), point)),
    keyEncryption,
    sequence(sequence(issuerAndSerial(certificate), octetString(wrapped))),
  );
}
