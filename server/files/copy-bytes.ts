/**
 * `source.copy(target, at, from, to)`. Where threads share the memory V8 copies word by word, and byte by byte what does not lie at a word's beginning, as
 * what comes over SSH: 12 µs for 32 KiB. Filling a buffer with another one is a plain copy, which takes 1 µs.
 */
export function copyBytes(source: Buffer, target: Buffer, at = 0, from = 0, to = source.length): number {
  if (!(isShared(target) || isShared(source))) return source.copy(target, at, from, to);
  const count = Math.min(to - from, source.length - from, target.length - at);
  if (count <= 0) return 0;
  target.fill(source.subarray(from, from + count), at, at + count);
  return count;
}

function isShared({ buffer }: Buffer): boolean {
  return buffer instanceof SharedArrayBuffer;
}
