/**
 * Large buffers that are given back at once. Every packet goes through one that node:crypto makes; left to the garbage collector, which knows little of
 * what lies outside its heap, a transfer of a gigabyte brings about dozens of full collections.
 */

/** Node.js 22 and later; before, the collector does it. */
const transfer = (ArrayBuffer.prototype as { transfer?: (length: number) => ArrayBuffer }).transfer;
/** Below that it is not worth the call. Bytes. */
const SMALL = 4_096;

/**
 * Frees the memory in which these bytes lie. Nobody may look at them, or at anything beside them, any more. What may be a part of memory that others
 * use as well stays: Node.js lends from its pools at most half of one.
 */
export function release(bytes: Buffer): void {
  const { buffer, length } = bytes;
  if (!transfer || length < SMALL || length * 2 <= buffer.byteLength || !(buffer instanceof ArrayBuffer)) return;
  transfer.call(buffer, 0);
}
