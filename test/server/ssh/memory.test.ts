import { randomBytes } from 'node:crypto';
import { release } from '../../../server/ssh/memory';

/** Node.js 22 and later. */
const canRelease = 'transfer' in ArrayBuffer.prototype;

test('a large buffer is gone at once, where Node.js can do it', () => {
  const bytes = randomBytes(100_000);
  release(bytes.subarray(1, 99_000));
  expect(bytes.length).toBe(canRelease ? 0 : 100_000);
});

test('what lies beside others in a pool of Node.js stays, and so does shared memory', () => {
  const pooled = Array.from({ length: 50 }, () => Buffer.from('a'.repeat(Buffer.poolSize / 2 - 1)));
  for (const one of pooled) release(one);
  expect(pooled.every((one) => one.length === Buffer.poolSize / 2 - 1)).toBe(true);
  const shared = Buffer.from(new SharedArrayBuffer(100_000));
  release(shared);
  expect(shared).toHaveLength(100_000);
});
