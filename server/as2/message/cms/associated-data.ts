/**
 * Authenticated attributes stand behind the content (RFC 5083 section 2.1), and AES-GCM wants them before it. GHASH is a polynomial: what the attributes add to the tag can be added later
 * (NIST SP 800-38D section 6.4).
 */
import { createCipheriv } from 'node:crypto';
import { malformed, type Node, SET, toDer } from './der';

const BLOCK = 16;
/** x^128 + x^7 + x^2 + x + 1, bits in GCM's order. */
const REDUCTION = 0xe1n << 120n;

/** The tag as it would be without the attributes: what a decipher has to be given that has seen the content alone. */
export function associatedCorrection(key: Buffer, attributes: Node, contentBytes: number, tag: Buffer): Buffer {
  const cipher = createCipheriv(`aes-${8 * key.length}-ecb`, key, null).setAutoPadding(false);
  const h = number(Buffer.concat([cipher.update(Buffer.alloc(BLOCK)), cipher.final()]));
  const data = asSet(attributes);
  // More than peers ever write; the work is a multiplication for each block.
  if (data.length > 16 * 1024) throw malformed('there are too many authenticated attributes');
  let sum = 0n;
  for (let at = 0; at < data.length; at += BLOCK) {
    const block = Buffer.alloc(BLOCK);
    data.copy(block, 0, at, Math.min(at + BLOCK, data.length));
    sum = times(sum ^ number(block), h);
  }
  sum = times(sum, power(h, Math.ceil(contentBytes / BLOCK) + 1));
  // The block of lengths has that of the attributes in its first half.
  sum ^= times(BigInt(8 * data.length) << 64n, h);
  return Buffer.from(tag.map((byte, at) => byte ^ Number((sum >> BigInt(8 * (BLOCK - 1 - at))) & 0xffn)));
}

/** Attributes are authenticated with the tag of a SET. */
function asSet(attributes: Node): Buffer {
  const der = attributes.isIndefinite ? toDer(attributes, true) : Buffer.from(attributes.raw);
  der[0] = SET;
  return der;
}

function number(block: Buffer): bigint {
  return BigInt(`0x${block.toString('hex')}`);
}

function times(left: bigint, right: bigint): bigint {
  let product = 0n;
  let shifted = right;
  for (let bit = 127n; bit >= 0n; bit--) {
    if ((left >> bit) & 1n) product ^= shifted;
    shifted = shifted & 1n ? (shifted >> 1n) ^ REDUCTION : shifted >> 1n;
  }
  return product;
}

function power(base: bigint, exponent: number): bigint {
  let result = 1n << 127n;
  for (let square = base, rest = exponent; rest > 0; rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) result = times(result, square);
    square = times(square, square);
  }
  return result;
}
