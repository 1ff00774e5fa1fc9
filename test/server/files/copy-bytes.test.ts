/** Copies in and out of memory that threads share are those of `Buffer.copy`. */
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { copyBytes } from '../../../server/files/copy-bytes';

const source = randomBytes(1_000);
const shared = Buffer.from(new SharedArrayBuffer(1_000));
source.copy(shared);

it.each([
  ['into shared memory', source, () => Buffer.from(new SharedArrayBuffer(600))],
  ['out of shared memory', shared, () => Buffer.alloc(600)],
  ['between memory of one thread', source, () => Buffer.alloc(600)],
] as const)('%s, as many bytes and the same ones arrive, wherever they lie', (_what, from, target) => {
  fc.assert(
    fc.property(fc.nat(700), fc.nat(1_000), fc.nat(1_200), (at, first, last) => {
      const [expected, got] = [Buffer.alloc(600), target()];
      expect(copyBytes(from, got, at, first, last)).toBe(source.copy(expected, at, first, last));
      expect(got.equals(expected)).toBe(true);
    }),
  );
});
