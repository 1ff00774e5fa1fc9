import { checkServerConfig } from '../../../server/config';
import type { Account } from '../../../server/identity/identity';
import { LocalLimits } from '../../../server/limits/local-limits';
import { SharedSignIns } from '../../../server/sessions/shared-sign-ins';
import { LocalSignIns, type SignIn } from '../../../server/sessions/sign-ins';
import { AuditRecorder } from '../support/server';

const { limits } = checkServerConfig({
  listeners: [{ mode: 'explicit', port: 0 }],
  tls: { certificates: [{ kind: 'file', certificate: '/server.pem', key: '/server.key' }] },
  storage: { kind: 'local', root: '/files' },
  identity: [{ kind: 'file', file: '/accounts.json' }],
});

/** A table in memory that can be switched off, and keeps text, as the real one does. */
function table() {
  const items = new Map<string, string>();
  const state = { items, works: true, asked: 0 };
  const answer = async <T>(value: () => T) => {
    state.asked += 1;
    if (!state.works) throw new Error('no route');
    return value();
  };
  return {
    state,
    put: (key: string, signIn: SignIn) => answer(() => void items.set(key, JSON.stringify(signIn))),
    use: (key: string) =>
      answer(() => {
        const text = items.get(key);
        return text === undefined ? undefined : (JSON.parse(text) as SignIn);
      }),
    remove: (key: string) => answer(() => void items.delete(key)),
    close: () => {},
  };
}

function instances() {
  let now = 0;
  const clock = () => now;
  const shared = table();
  const audit = new AuditRecorder();
  const make = () => {
    const own = new LocalSignIns(new LocalLimits(limits), { signInIdleSeconds: 1_000, signInSeconds: 2_000 }, 100, clock);
    return new SharedSignIns(own, shared, audit, clock);
  };
  return {
    one: make(),
    other: make(),
    table: shared.state,
    audit,
    at: (seconds: number) => {
      now = seconds * 1000;
    },
  };
}

const signIn: SignIn = { account: { user: 'ann', maxSessions: 1 } as Account, fingerprint: 'f' };
const begun = async (all: SharedSignIns, key = 'a') => {
  expect(await all.begin(key, 'ann', 1)).toBe(true);
  await all.keep(key, signIn);
};

it('is known to the instance that its browser comes to next, however many requests come at once, and takes one place there', async () => {
  const { one, other } = instances();
  await begun(one);
  expect(await Promise.all(Array.from({ length: 5 }, () => other.find('a')))).toEqual(Array(5).fill(signIn));
  expect(await other.begin('b', 'ann', 2)).toBe(true);
  expect(await other.begin('c', 'ann', 2)).toBe(false);
  expect(await other.find('unknown')).toBeUndefined();
});

it('what an issuer said who it is leaves of the account comes along to the other instance', async () => {
  const { one, other } = instances();
  const bySomebodyElse: SignIn = { ...signIn, by: { issuer: 'https://login.example.com', scopes: ['read'], folder: '/out' } };
  await one.begin('a', 'ann', 1);
  await one.keep('a', bySomebodyElse);
  for (let time = 0; time < 2; time += 1) expect(await other.find('a')).toEqual(bySomebodyElse);
});

it('that ended at one instance ends at the others, within moments', async () => {
  const { one, other, at } = instances();
  await begun(one);
  expect(await other.find('a')).toEqual(signIn);
  one.end('a');
  await Promise.resolve();
  expect(await one.find('a')).toBeUndefined();
  at(10);
  expect(await other.find('a')).toBeUndefined();
  expect(await other.begin('b', 'ann', 1)).toBe(true); // its place is free
});

it('who signs out while the table is down is signed out, here and, once it is there again, elsewhere', async () => {
  jest.useFakeTimers({ doNotFake: ['performance'] });
  const { one, other, table: kept, at } = instances();
  await begun(one);
  expect(await other.find('a')).toEqual(signIn);
  kept.works = false;
  one.end('a');
  await jest.advanceTimersByTimeAsync(1);
  kept.works = true;
  at(20);
  expect(await one.find('a')).toBeUndefined();
  await jest.advanceTimersByTimeAsync(5_000);
  expect(await other.find('a')).toBeUndefined();
  expect(kept.items.size).toBe(0);
  jest.useRealTimers();
});

it('the table is asked once in a while, and not for each request', async () => {
  const { one, table: kept, at } = instances();
  await begun(one);
  await one.find('a');
  const { asked } = kept;
  for (let count = 0; count < 20; count += 1) await one.find('a');
  expect(kept.asked).toBe(asked);
  at(10);
  await one.find('a');
  expect(kept.asked).toBe(asked + 1);
});

it('without the table each instance goes on with its own, the audit says so, and requests do not wait for it', async () => {
  const { one, other, audit, table: kept, at } = instances();
  kept.works = false;
  await begun(one);
  expect(await one.find('a')).toEqual(signIn);
  const { asked } = kept;
  expect(await one.find('a')).toEqual(signIn);
  expect(kept.asked).toBe(asked);
  expect(await other.find('a')).toBeUndefined();
  expect(audit.of('health')[0]).toMatchObject({ part: 'sign-ins', state: 'down', detail: expect.stringMatching(/^sign-ins are not shared: /) });
  kept.works = true;
  kept.items.set('a', JSON.stringify(signIn));
  at(20);
  expect(await one.find('a')).toEqual(signIn);
  expect(audit.of('health').at(-1)).toMatchObject({ state: 'up' });
});
