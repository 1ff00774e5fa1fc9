/** How a packet of SSH is laid out (RFC 4253 section 6): its length, the length of its padding, payload, padding, and what proves it. */

/** Before the payload: the length of the packet, and that of the padding. */
export const HEADER = 5;
export const BLOCK = 16;
export const LEAST_PADDING = 4;
/** Length of AES-GCM's tag. */
export const TAG = 16;

/** Parts of a payload below that are copied together before they are encrypted: a call into OpenSSL costs more than the copy. Bytes. */
export const LITTLE = 2_048;

/** Increments the invocation counter of an AES-GCM IV, its last 8 bytes (RFC 5647 section 7.1). */
export function increment(iv: Buffer): void {
  for (let at = 11; at >= 4; at -= 1) {
    iv[at] = (iv[at]! + 1) & 255;
    if (iv[at] !== 0) return;
  }
}
