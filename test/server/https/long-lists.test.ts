import type { Entry } from '../../../server/files/account-files';
import { LongLists } from '../../../server/https/api/long-lists';

/** A folder that is read batch by batch; it says how many were. */
function folder(entries: number) {
  const state = { read: 0 };
  const batch = Array.from({ length: 500 }, (_, index): Entry => ({ name: String(index), type: 'file', size: 0, modified: new Date(0) }));
  async function* batches() {
    for (; state.read < entries; state.read += batch.length) yield batch;
  }
  return { state, batches: batches() };
}
const all = { fits: () => true, most: 100_000, signal: new AbortController().signal };
const turns = () => new Promise((resolve) => setTimeout(resolve, 20));

it('a few long lists are in memory at once, one of an account; short ones do not wait for them', async () => {
  const lists = new LongLists();
  const ends: (() => void)[] = [];
  const open = (owner: string, entries: number, signal = all.signal) => {
    const { state, batches } = folder(entries);
    const sorted = jest.fn((found: readonly Entry[]) => new Promise<number>((resolve) => ends.push(() => resolve(found.length))));
    return { state, sorted, done: lists.gather(batches, { ...all, owner, signal }, sorted) };
  };
  const [ann, annAgain, short] = [open('ann', 50_000), open('ann', 50_000), open('ann', 1_000)];
  const others = ['bob', 'carl', 'dora', 'eve'].map((owner) => open(owner, 50_000));
  await turns();
  expect([ann, annAgain, short, ...others].map(({ sorted }) => sorted.mock.calls.length)).toEqual([1, 0, 1, 1, 1, 1, 0]);
  // Who waits has no more than the first batches.
  for (const waiting of [annAgain, others[3]!]) expect(waiting.state.read).toBeLessThan(2_000);
  const gone = new AbortController();
  const left = open('frank', 50_000, gone.signal);
  await turns();
  gone.abort();
  await expect(left.done).rejects.toThrow();
  while (ends.length > 0) {
    ends.shift()!();
    await turns();
  }
  expect(await Promise.all([ann, annAgain, short, ...others].map(({ done }) => done))).toEqual([50_000, 50_000, 1_000, 50_000, 50_000, 50_000, 50_000]);
});

it('more than are listed at all end it', async () => {
  await expect(new LongLists().gather(folder(5_000).batches, { ...all, most: 2_000, owner: 'ann' }, async () => {})).rejects.toThrow('more than 2000');
});
