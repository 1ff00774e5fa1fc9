/**
 * The key of a message, kept by RSA. What comes out of padding that is wrong is a random key of the right length, as RFC 5246 section 7.4.7.1 does it: whoever sends altered messages
 * learns by no reply, and by no exception, what the padding was (Bleichenbacher, Manger). Node.js refuses to undo PKCS#1 v1.5 itself where its OpenSSL does not do that.
 */
import { constants, createHash, type KeyObject, privateDecrypt, randomBytes } from 'node:crypto';
import type { Digest } from '../types';

/** PKCS#1 v1.5: 00 02, eight or more random bytes, 00, the key. */
export function unwrapPkcs1(key: KeyObject, wrapped: Buffer, keyBytes: number): Buffer {
  const fallback = randomBytes(keyBytes);
  const block = decryptRaw(key, wrapped);
  if (!block || block.length < keyBytes + 11) return fallback;
  const from = block.length - keyBytes;
  // Every byte is looked at, whatever the ones before are.
  let wrong = block[0]! | (block[1]! ^ 2) | block[from - 1]!;
  for (let at = 2; at < from - 1; at++) wrong |= isZero(block[at]!);
  return chosen(wrong, block.subarray(from), fallback);
}

/** OAEP (RFC 8017 section 7.1.2), with any pair of digests: Java's usual is SHA-256 with a mask by SHA-1. */
export function unwrapOaep(key: KeyObject, wrapped: Buffer, keyBytes: number, digest: Digest, mask: Digest, label: Buffer): Buffer {
  const fallback = randomBytes(keyBytes);
  const block = decryptRaw(key, wrapped);
  const expected = createHash(digest).update(label).digest();
  const size = expected.length;
  if (!block || block.length < 2 * size + 2 + keyBytes) return fallback;
  const maskedSeed = block.subarray(1, 1 + size);
  const masked = block.subarray(1 + size);
  const seed = xored(maskedSeed, mgf1(mask, masked, size));
  const data = xored(masked, mgf1(mask, seed, masked.length));
  const from = data.length - keyBytes;
  let wrong = block[0]! | (data[from - 1]! ^ 1);
  for (let at = 0; at < size; at++) wrong |= data[at]! ^ expected[at]!;
  for (let at = size; at < from - 1; at++) wrong |= data[at]!;
  return chosen(wrong, data.subarray(from), fallback);
}

function decryptRaw(key: KeyObject, wrapped: Buffer): Buffer | undefined {
  try {
    return privateDecrypt({ key, padding: constants.RSA_NO_PADDING }, wrapped);
  } catch {
    // Longer or larger than the modulus.
    return undefined;
  }
}

/** 1 for 0, else 0, without a branch. */
function isZero(byte: number): number {
  return ((byte - 1) >>> 8) & 1;
}

function chosen(wrong: number, right: Buffer, fallback: Buffer): Buffer {
  const keep = ((wrong - 1) >> 31) & 0xff;
  return Buffer.from(right.map((byte, at) => (byte & keep) | (fallback[at]! & ~keep)));
}

function xored(left: Buffer, right: Buffer): Buffer {
  return Buffer.from(left.map((byte, at) => byte ^ right[at]!));
}

function mgf1(digest: Digest, seed: Buffer, length: number): Buffer {
  const pieces: Buffer[] = [];
  const counter = Buffer.alloc(4);
  for (let have = 0, count = 0; have < length; count++) {
    counter.writeUInt32BE(count);
    const piece = createHash(digest).update(seed).update(counter).digest();
    pieces.push(piece);
    have += piece.length;
  }
  return Buffer.concat(pieces).subarray(0, length);
}
