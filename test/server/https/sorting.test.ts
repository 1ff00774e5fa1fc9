import * as fc from 'fast-check';
import { sortedInTurns } from '../../../server/https/api/sorting';

const byFirst = ([one]: readonly [number, number], [other]: readonly [number, number]) => one - other;

it('puts in order what sort would, and leaves what is alike as it was', () =>
  fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 5_000, size: 'max' }), async (numbers) => {
      const pairs = numbers.map((number, index) => [number, index] as const);
      expect(await sortedInTurns(pairs, byFirst)).toEqual([...pairs].sort(byFirst));
    }),
    { numRuns: 20 },
  ));

it('others have their turns while two hundred thousand are sorted', async () => {
  const all = Array.from({ length: 200_000 }, (_, index) => `a long name that all have in common ${(index * 7_919) % 200_000}`);
  let [turns, isOver] = [0, false];
  const turn = () => {
    turns += 1;
    if (!isOver) setImmediate(turn);
  };
  setImmediate(turn);
  const sorted = await sortedInTurns(all, (one, other) => (one < other ? -1 : one > other ? 1 : 0));
  isOver = true;
  expect(sorted).toEqual([...all].sort());
  expect(turns).toBeGreaterThan(500);
});
