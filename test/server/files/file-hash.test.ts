import { createHash, randomBytes } from 'node:crypto';
import { FileHash } from '../../../server/files/hashing/file-hash';

const KIB = 1024;
const shared = (bytes: Buffer) => {
  const piece = Buffer.from(new SharedArrayBuffer(bytes.length));
  bytes.copy(piece);
  return piece;
};
const wanted = (...pieces: Buffer[]) => createHash('sha256').update(Buffer.concat(pieces)).digest('hex');

it.each([
  ['an empty file', []],
  ['a small file', [randomBytes(10), randomBytes(64 * KIB - 10)]],
  ['a file just too large to be small', [randomBytes(64 * KIB), randomBytes(1)]],
  ['a large file', [randomBytes(64 * KIB), shared(randomBytes(KIB * KIB)), shared(randomBytes(KIB * KIB)), shared(randomBytes(17))]],
  ['a part of a buffer', [randomBytes(256 * KIB).subarray(0, 200 * KIB), randomBytes(256 * KIB).subarray(5, 70 * KIB)]],
])('is that of %s', async (_, pieces) => {
  const hash = new FileHash('sha256');
  for (const piece of pieces) await hash.update([piece]);
  expect(await hash.digest()).toBe(wanted(...pieces));
});

it('is that of each of many files at once, and a piece may be used again as soon as it was taken', async () => {
  const one = async (count: number) => {
    const hash = new FileHash('sha256');
    const piece = shared(Buffer.alloc(KIB * KIB));
    const seen: Buffer[] = [];
    for (let index = 0; index < count; index += 1) {
      piece.fill(randomBytes(64));
      seen.push(Buffer.from(piece));
      await hash.update([piece]);
      piece.fill(0);
    }
    return [await hash.digest(), wanted(...seen)];
  };
  for (const [got, meant] of await Promise.all([1, 2, 3, 4, 5].map(one))) expect(got).toBe(meant);
});

it('is made beside the event loop, which goes on meanwhile', async () => {
  const hash = new FileHash('sha256');
  const piece = shared(Buffer.alloc(KIB * KIB));
  await hash.update([piece]); // the thread is there
  let turns = 0;
  const turn = () => {
    turns += 1;
    again = setImmediate(turn);
  };
  let again = setImmediate(turn);
  await hash.update(Array.from({ length: 512 }, () => piece));
  clearImmediate(again);
  expect(turns).toBeGreaterThan(64);
});

it('of a file that was given up is forgotten, and others go on', async () => {
  const given = new FileHash('sha256');
  const kept = new FileHash('sha256');
  const piece = shared(randomBytes(KIB * KIB));
  await Promise.all([given.update([piece]), kept.update([piece])]);
  given.abandon();
  await kept.update([piece]);
  expect(await kept.digest()).toBe(wanted(piece, piece));
});
