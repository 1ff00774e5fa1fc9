import { checkServerConfig } from '../../../server/config';
import type { Account } from '../../../server/identity/identity';
import { LocalLimits } from '../../../server/limits/local-limits';
import { LocalSignIns } from '../../../server/sessions/sign-ins';

const { limits } = checkServerConfig({
  listeners: [{ mode: 'explicit', port: 0 }],
  tls: { certificates: [{ kind: 'file', certificate: '/server.pem', key: '/server.key' }] },
  storage: { kind: 'local', root: '/files' },
  identity: [{ kind: 'file', file: '/accounts.json' }],
});

function signIns({ most = 100 } = {}) {
  let now = 0;
  const all = new LocalSignIns(new LocalLimits(limits), { signInIdleSeconds: 100, signInSeconds: 250 }, most, () => now);
  const begin = async (key: string, user = 'ann', maxSessions?: number) => {
    const begun = await all.begin(key, user, maxSessions);
    await all.keep(key, { account: { user } as Account });
    return begun;
  };
  return {
    all,
    begin,
    at: (seconds: number) => {
      now = seconds * 1000;
    },
  };
}

it('is found until it was idle, or is old', async () => {
  const { all, begin, at } = signIns();
  await begin('a');
  for (const seconds of [90, 180, 249]) {
    at(seconds);
    expect((await all.find('a'))?.account.user).toBe('ann');
  }
  at(250);
  expect(await all.find('a')).toBeUndefined();
  await begin('b');
  at(350);
  expect(await all.find('b')).toBeUndefined();
  all.close();
});

it('has a place of its account until it ends; one that was left for a minute makes room', async () => {
  const { all, begin, at } = signIns();
  expect(await begin('a', 'ann', 1)).toBe(true);
  expect(await begin('b', 'ann', 1)).toBe(false);
  expect(await begin('b', 'bob', 1)).toBe(true);
  all.end('a');
  all.end('a');
  expect(await begin('c', 'ann', 1)).toBe(true);
  at(60);
  expect(await begin('d', 'ann', 1)).toBe(true);
  expect(await all.find('c')).toBeUndefined();
  expect(await begin('e', 'ann', 1)).toBe(false);
  all.close();
});

it('there are never more than there may be: who has been idle longest goes', async () => {
  const { all, begin } = signIns({ most: 2 });
  await begin('a');
  await begin('b');
  await all.find('a');
  await begin('c');
  expect(await Promise.all(['a', 'b', 'c'].map(async (key) => (await all.find(key)) !== undefined))).toEqual([true, false, true]);
  all.close();
});
