import { checkServerConfig } from '../../../server/config';
import type { Account } from '../../../server/identity/identity';
import { LocalLimits } from '../../../server/limits/local-limits';
import { SharedSignIns } from '../../../server/sessions/shared-sign-ins';
import { SignInSeals } from '../../../server/sessions/sign-in-seals';
import { LocalSignIns, type SignIn } from '../../../server/sessions/sign-ins';
import { AuditRecorder } from '../support/server';

const { limits } = checkServerConfig({
  listeners: [{ mode: 'explicit', port: 0 }],
  tls: { certificates: [{ kind: 'file', certificate: '/server.pem', key: '/server.key' }] },
  storage: { kind: 'local', root: '/files' },
  identity: [{ kind: 'file', file: '/accounts.json' }],
});

const SEAL_KEY = 'x'.repeat(43);

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
    sealKey: () => answer(() => SEAL_KEY),
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
/** By the cookie that `begun` would have been answered with. */
const found = async (all: SharedSignIns, key: string) => all.find(key, await seals.of(key));
const seals = new SignInSeals(async () => SEAL_KEY);
const begun = async (all: SharedSignIns, key = 'a') => {
  expect(await all.begin(key, 'ann', 1)).toBe(true);
  await all.keep(key, signIn);
};

it('is known to the instance that its browser comes to next, however many requests come at once, and takes one place there', async () => {
  const { one, other } = instances();
  await begun(one);
  expect(await Promise.all(Array.from({ length: 5 }, () => found(other, 'a')))).toEqual(Array(5).fill(signIn));
  expect(await other.begin('b', 'ann', 2)).toBe(true);
  expect(await other.begin('c', 'ann', 2)).toBe(false);
  expect(await found(other, 'unknown')).toBeUndefined();
});

it('what an issuer said who it is leaves of the account comes along to the other instance', async () => {
  const { one, other } = instances();
  const bySomebodyElse: SignIn = { ...signIn, by: { issuer: 'https://login.example.com', scopes: ['read'], folder: '/out' } };
  await one.begin('a', 'ann', 1);
  await one.keep('a', bySomebodyElse);
  for (let time = 0; time < 2; time += 1) expect(await found(other, 'a')).toEqual(bySomebodyElse);
});

it('that ended at one instance ends at the others, within moments', async () => {
  const { one, other, at } = instances();
  await begun(one);
  expect(await found(other, 'a')).toEqual(signIn);
  one.end('a');
  await Promise.resolve();
  expect(await found(one, 'a')).toBeUndefined();
  at(10);
  expect(await found(other, 'a')).toBeUndefined();
  expect(await other.begin('b', 'ann', 1)).toBe(true); // its place is free
});

it('who signs out while the table is down is signed out, here and, once it is there again, elsewhere', async () => {
  jest.useFakeTimers({ doNotFake: ['performance'] });
  const { one, other, table: kept, at } = instances();
  await begun(one);
  expect(await found(other, 'a')).toEqual(signIn);
  kept.works = false;
  one.end('a');
  await jest.advanceTimersByTimeAsync(1);
  kept.works = true;
  at(20);
  expect(await found(one, 'a')).toBeUndefined();
  await jest.advanceTimersByTimeAsync(5_000);
  expect(await found(other, 'a')).toBeUndefined();
  expect(kept.items.size).toBe(0);
  jest.useRealTimers();
});

it('the table is asked once in a while, and not for each request', async () => {
  const { one, table: kept, at } = instances();
  await begun(one);
  await found(one, 'a');
  const { asked } = kept;
  for (let count = 0; count < 20; count += 1) await found(one, 'a');
  expect(kept.asked).toBe(asked);
  at(10);
  await found(one, 'a');
  expect(kept.asked).toBe(asked + 1);
});

it('without the table each instance goes on with its own, the audit says so, and requests do not wait for it', async () => {
  const { one, other, audit, table: kept, at } = instances();
  kept.works = false;
  await begun(one);
  expect(await found(one, 'a')).toEqual(signIn);
  const { asked } = kept;
  expect(await found(one, 'a')).toEqual(signIn);
  expect(kept.asked).toBe(asked);
  expect(await found(other, 'a')).toBeUndefined();
  expect(audit.of('health')[0]).toMatchObject({ part: 'sign-ins', state: 'down', detail: expect.stringMatching(/^sign-ins are not shared: /) });
  kept.works = true;
  kept.items.set('a', JSON.stringify(signIn));
  at(20);
  expect(await found(one, 'a')).toEqual(signIn);
  expect(audit.of('health').at(-1)).toMatchObject({ state: 'up' });
});

it('a cookie that somebody made up is refused without a word to the table, whatever its seal', async () => {
  const { one, other, table: kept } = instances();
  await begun(one);
  const seal = await one.sealOf('a');
  expect(await other.find('a', seal)).toEqual(signIn);
  const { asked } = kept;
  for (const wrong of ['', 'x', seal.slice(1), `${seal}x`, `${seal.startsWith('A') ? 'B' : 'A'}${seal.slice(1)}`])
    expect(await other.find('made-up', wrong)).toBeUndefined();
  expect(await other.find('made-up', seal)).toBeUndefined();
  expect(kept.asked).toBe(asked);
});

it('the key of seals is asked for once, by all who come at once; while it can not be said an instance seals for itself', async () => {
  const { one, other, table: kept, at } = instances();
  kept.works = false;
  await one.begin('a', 'ann', 1);
  await one.keep('a', signIn);
  const ownSeal = await one.sealOf('a');
  expect(await one.find('a', ownSeal)).toEqual(signIn);
  expect(await Promise.all(Array.from({ length: 5 }, () => other.find('made-up', ownSeal)))).toEqual(Array(5).fill(undefined));
  kept.works = true;
  at(20);
  const before = kept.asked;
  await Promise.all(Array.from({ length: 5 }, () => other.sealOf('b')));
  expect(kept.asked).toBe(before + 1);
  expect(await other.sealOf('b')).toBe(await one.sealOf('b'));
  kept.items.set('a', JSON.stringify(signIn));
  expect(await one.find('a', ownSeal)).toEqual(signIn);
});
