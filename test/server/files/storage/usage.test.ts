/** Counts of homes: what accounts share, what is reserved, and what is counted again. */
import { HeldNameLocks, holding, LocalNameLocks } from '../../../../server/files/storage/name-locks';
import { Quotas } from '../../../../server/files/storage/quotas';
import { LocalCounts } from '../../../../server/files/storage/usage-counts';
import { HeldCounts } from '../../../../server/workers/held-counts';

const quota = { bytes: 100, files: 10 };
const nothing = { bytes: 0, files: 0, lent: 0 };

async function counted(counts: LocalCounts, home: string, bytes: number, files = 1): Promise<void> {
  await counts.counted(await counts.counting(home), { bytes, files });
}

describe('the count of a home', () => {
  it('is one for all accounts, each with its own quota', async () => {
    const counts = new LocalCounts();
    await counted(counts, 'shared', 80);
    expect(await counts.take('shared', { bytes: 90 }, 15, 0)).toBe('bytes');
    expect(await counts.take('shared', { bytes: 100 }, 15, 0)).toBe('taken');
    expect(await counts.take('shared', { bytes: 100 }, 15, 0)).toBe('bytes');
  });

  it('takes part in what happens in homes that lie in it', async () => {
    const counts = new LocalCounts();
    await counted(counts, '', 10);
    await counted(counts, 'inner', 5);
    await counted(counts, 'other', 5);
    counts.settle('inner', nothing, 'inner/folder', { bytes: 20, files: 1 });
    expect([await counts.held(''), await counts.held('inner'), await counts.held('other')]).toEqual([
      { bytes: 30, files: 2 },
      { bytes: 25, files: 2 },
      { bytes: 5, files: 1 },
    ]);
  });

  it('misses nothing that changes while it is made, and is made again when it matters', async () => {
    let now = 0;
    const counts = new LocalCounts(() => now);
    const count = await counts.counting('home');
    counts.settle('home', nothing, 'home', { bytes: 30, files: 1 });
    counts.settle('home', nothing, 'home', { bytes: -10, files: -1 });
    await counts.counted(count, { bytes: 30, files: 1 });
    expect(await counts.held('home')).toEqual({ bytes: 60, files: 2 }); // rather too much than too little
    now = 5_000;
    expect(await counts.take('home', quota, 1, 0)).toBe('uncounted');
    await counted(counts, 'home', 20);
    expect(await counts.held('home')).toEqual({ bytes: 20, files: 1 });
  });

  it('is made again before it refuses, once a minute: other programs may have made room', async () => {
    let now = 0;
    const counts = new LocalCounts(() => now);
    await counted(counts, 'home', 100);
    expect(await counts.take('home', quota, 1, 0)).toBe('bytes');
    now = 60_000;
    expect(await counts.take('home', quota, 1, 0)).toBe('uncounted');
    await counted(counts, 'home', 50);
    expect(await counts.take('home', quota, 1, 0)).toBe('taken');
  });

  it('is void where a folder was moved out of a home, into it, or from below it', async () => {
    const counts = new LocalCounts();
    for (const home of ['', 'a', 'b', 'a/inner', 'c']) await counted(counts, home, 10);
    counts.moved('a/inner', 'b/inner');
    expect(await Promise.all(['', 'a', 'b', 'a/inner', 'c'].map(async (home) => (await counts.held(home)) !== undefined))).toEqual([
      true, // within the root everything is where it was
      false,
      false,
      false,
      true,
    ]);
  });

  it('lends no more than what lies in the home, all together', async () => {
    const counts = new LocalCounts();
    expect(await counts.lend('home', 50)).toBe(0);
    await counted(counts, 'home', 60);
    expect([await counts.lend('home', 50), await counts.lend('home', 50), await counts.lend('home', 50)]).toEqual([50, 10, 0]);
    counts.settle('home', { bytes: 0, files: 0, lent: 50 }, '', { bytes: 0, files: 0 });
    expect(await counts.lend('home', 50)).toBe(50);
  });
});

describe('a worker that dies', () => {
  it('leaves the reservations of the others, and its homes to be counted again', async () => {
    const shared = new LocalCounts();
    const [dead, alive] = [new HeldCounts(shared), new HeldCounts(shared)];
    await counted(shared, 'home', 20);
    await dead.take('home', quota, 30, 1);
    await dead.lend('home', 15);
    await alive.take('home', quota, 40, 1);
    dead.releaseAll();
    expect(await shared.held('home')).toBeUndefined();
    await counted(shared, 'home', 25); // what it put into place and did not say is seen
    expect(await shared.held('home')).toEqual({ bytes: 65, files: 2 });
    expect(await shared.lend('home', 25)).toBe(25);
  });

  it('leaves no name locked, also one that it only waited for', async () => {
    const shared = new LocalNameLocks();
    const [dead, alive] = [new HeldNameLocks(shared), new HeldNameLocks(shared)];
    await dead.lock('one');
    await alive.lock('two');
    const waiting = dead.lock('two');
    dead.releaseAll();
    await alive.lock('one');
    alive.unlock('two');
    await waiting;
    await alive.lock('two');
  });
});

describe('names that are held', () => {
  it('are one at a time, whatever the order they are asked in', async () => {
    const locks = new LocalNameLocks();
    let inside = 0;
    let most = 0;
    const act = async () => {
      most = Math.max(most, ++inside);
      await new Promise(setImmediate);
      inside -= 1;
    };
    await Promise.all(Array.from({ length: 20 }, (_, turn) => holding(locks, turn % 2 ? ['a', 'b'] : ['b', 'a'], act)));
    expect(most).toBe(1);
    await expect(
      holding(locks, ['a', 'a'], () => {
        throw new Error('told');
      }),
    ).rejects.toThrow('told');
    await holding(locks, ['a'], act);
  });
});

describe('the quota of an account', () => {
  it('is what its source says now, and what was known last while the source does not answer', async () => {
    let now = 0;
    let answer: { bytes: number } | undefined | 'unknown' | Error = { bytes: 1 };
    let asked = 0;
    const quotas = new Quotas(
      async () => {
        asked += 1;
        if (answer instanceof Error) throw answer;
        return answer;
      },
      () => now,
    );
    quotas.learn('ann', { bytes: 5 });
    expect(await quotas.of('ann', undefined)).toEqual({ bytes: 5 });
    now = 10_000;
    expect(await Promise.all([quotas.of('ann', undefined), quotas.of('ann', undefined)])).toEqual([{ bytes: 1 }, { bytes: 5 }]);
    expect(asked).toBe(1);
    for (const silent of ['unknown', new Error('down')] as const) {
      now += 10_000;
      answer = silent;
      expect(await quotas.of('ann', undefined)).toEqual({ bytes: 1 });
    }
    now += 10_000;
    answer = undefined;
    expect(await quotas.of('ann', { bytes: 5 })).toBeUndefined();
  });
});
