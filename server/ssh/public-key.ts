/** Public keys as SSH writes them (RFC 4253 section 6.6, RFC 5656, RFC 8709), and what they sign. */
import { createHash, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { MalformedPacket, WireReader, WireWriter } from './wire';

const curves = {
  'ecdsa-sha2-nistp256': { name: 'nistp256', jwk: 'P-256', hash: 'sha256', bytes: 32 },
  'ecdsa-sha2-nistp384': { name: 'nistp384', jwk: 'P-384', hash: 'sha384', bytes: 48 },
  'ecdsa-sha2-nistp521': { name: 'nistp521', jwk: 'P-521', hash: 'sha512', bytes: 66 },
} as const;
type Curve = keyof typeof curves;
const isCurve = (type: string): type is Curve => type in curves;

const base64url = (bytes: Buffer) => bytes.toString('base64url');

/** The bytes of a key in SSH. Throws an Error where SSH has no such key. */
export function publicKeyBlob(key: KeyObject): Buffer {
  const jwk = key.export({ format: 'jwk' });
  const bytes = (text: string | undefined) => Buffer.from(text!, 'base64url');
  if (jwk.kty === 'OKP' && jwk.crv === 'Ed25519') return new WireWriter().string('ssh-ed25519').string(bytes(jwk.x)).done();
  if (jwk.kty === 'RSA')
    return new WireWriter()
      .string('ssh-rsa')
      .string(mpint(bytes(jwk.e)))
      .string(mpint(bytes(jwk.n)))
      .done();
  for (const [type, curve] of Object.entries(curves))
    if (jwk.kty === 'EC' && jwk.crv === curve.jwk)
      return new WireWriter()
        .string(type)
        .string(curve.name)
        .string(Buffer.concat([Buffer.from([4]), bytes(jwk.x), bytes(jwk.y)]))
        .done();
  throw new Error('is of a kind that SSH does not know here; take Ed25519, ECDSA on P-256, P-384 or P-521, or RSA');
}

/** The key in such bytes. Throws MalformedPacket where there is none that is understood. */
export function readPublicKey(blob: Buffer): KeyObject {
  const reader = new WireReader(blob);
  return readKey(reader.text(), reader);
}

/** The key of a type, from what stands behind the type's name. Throws MalformedPacket. */
export function readKey(type: string, reader: WireReader): KeyObject {
  try {
    if (type === 'ssh-ed25519') return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: base64url(reader.string()) }, format: 'jwk' });
    if (type === 'ssh-rsa') {
      const [e, n] = [unsigned(reader.string()), unsigned(reader.string())];
      return createPublicKey({ key: { kty: 'RSA', e: base64url(e), n: base64url(n) }, format: 'jwk' });
    }
    if (isCurve(type)) {
      const { name, jwk, bytes } = curves[type];
      const [curve, point] = [reader.text(), reader.string()];
      if (curve !== name || point.length !== 1 + 2 * bytes || point[0] !== 4) throw new MalformedPacket();
      const [x, y] = [point.subarray(1, 1 + bytes), point.subarray(1 + bytes)];
      return createPublicKey({ key: { kty: 'EC', crv: jwk, x: base64url(x), y: base64url(y) }, format: 'jwk' });
    }
  } catch {
    throw new MalformedPacket();
  }
  throw new MalformedPacket();
}

/** RSA below 2048 bits (NIST SP 800-131A), and keys whose only use is that a signature by them takes long to look at. */
export function isOdd({ asymmetricKeyDetails }: KeyObject): boolean {
  const { modulusLength = 2_048, publicExponent = 65_537n } = asymmetricKeyDetails ?? {};
  return modulusLength < 2_048 || modulusLength > 8_192 || publicExponent > 0xffff_ffffn;
}

/** `SHA256:…`, as OpenSSH prints the fingerprint of a key. */
export function fingerprintOf(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** The algorithm that such a signature says it was made by. Throws MalformedPacket. */
export function algorithmOf(signature: Buffer): string {
  return new WireReader(signature).text();
}

/** The type of key that a signature algorithm goes with. */
export function keyTypeOf(algorithm: string): string {
  return algorithm.startsWith('rsa-sha2-') ? 'ssh-rsa' : algorithm;
}

/** Whether the key has signed the data by that algorithm. `signature` as SSH writes it: the algorithm and its bytes. */
export function isSignedBy(key: KeyObject, algorithm: string, data: Buffer, signature: Buffer): boolean {
  const reader = new WireReader(signature);
  if (reader.text() !== algorithm) return false;
  const bytes = reader.string();
  try {
    if (algorithm === 'ssh-ed25519') return verify(null, data, key, bytes);
    if (algorithm === 'rsa-sha2-256') return verify('sha256', data, key, bytes);
    if (algorithm === 'rsa-sha2-512') return verify('sha512', data, key, bytes);
    if (!isCurve(algorithm)) return false;
    const curve = curves[algorithm];
    const numbers = new WireReader(bytes);
    const [r, s] = [padded(numbers.string(), curve.bytes), padded(numbers.string(), curve.bytes)];
    return verify(curve.hash, data, { key, dsaEncoding: 'ieee-p1363' }, Buffer.concat([r, s]));
  } catch {
    return false;
  }
}

/** Signs, as SSH writes it: the algorithm and its bytes. */
export function signatureOf(key: KeyObject, algorithm: string, data: Buffer): Buffer {
  const written = new WireWriter().string(algorithm);
  if (algorithm === 'ssh-ed25519') return written.string(sign(null, data, key)).done();
  if (!isCurve(algorithm)) return written.string(sign(algorithm.replace('rsa-sha2-', 'sha'), data, key)).done();
  const { hash, bytes } = curves[algorithm];
  const numbers = sign(hash, data, { key, dsaEncoding: 'ieee-p1363' });
  const [r, s] = [numbers.subarray(0, bytes), numbers.subarray(bytes)].map(withoutZeros);
  return written.string(new WireWriter().string(mpint(r!)).string(mpint(s!)).done()).done();
}

function withoutZeros(number: Buffer): Buffer {
  const first = number.findIndex((byte) => byte !== 0);
  return number.subarray(Math.max(first, 0));
}

function mpint(bytes: Buffer): Buffer {
  return bytes[0]! & 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes;
}

function unsigned(bytes: Buffer): Buffer {
  return bytes[0] === 0 ? bytes.subarray(1) : bytes;
}

function padded(number: Buffer, length: number): Buffer {
  const significant = unsigned(number);
  if (significant.length > length) throw new MalformedPacket();
  return Buffer.concat([Buffer.alloc(length - significant.length), significant]);
}
