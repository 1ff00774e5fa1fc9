import type { Identity, Verdict } from '../../../server/identity/identity';
import { inOrder } from '../../../server/identity/in-order';

const unknown: Verdict = { kind: 'refused', reason: 'unknown-user' };

/** A source that knows one user and remembers whom it was asked about. */
function source(user: string, verdict: Verdict): Identity & { readonly asked: string[] } {
  const asked: string[] = [];
  const answer = async ({ user: login }: { user: string }) => {
    asked.push(login);
    return login === user ? verdict : unknown;
  };
  return {
    asked,
    nameOf: (login) => login.replace(`${user}\\`, ''),
    authenticate: answer,
    authenticateByCertificate: answer as never,
    authenticateByToken: ({ token }) => answer(token),
    authenticateVouched: answer,
    authenticateByKey: answer,
    rulesOf: async (login) => (login === user && verdict.kind === 'accepted' ? verdict.account : 'none'),
    recordOf: async () => 'unknown',
    close: async () => {},
  };
}

const ask = (identity: Identity, user: string) => identity.authenticate({ user, password: 'x', address: '' });

it('the first source that knows the user decides, and one that is down is not passed over', async () => {
  const first = source('ann', { kind: 'refused', reason: 'wrong-password' });
  const second = source('bob', { kind: 'unavailable', reason: 'down' });
  const third = source('bob', { kind: 'refused', reason: 'account-disabled' });
  const all = inOrder([first, second, third]);
  expect(await ask(all, 'ann')).toMatchObject({ reason: 'wrong-password' });
  expect(await ask(all, 'bob')).toMatchObject({ kind: 'unavailable' });
  expect(await ask(all, 'carl')).toEqual(unknown);
  expect([first.asked, second.asked, third.asked]).toEqual([['ann', 'bob', 'carl'], ['bob', 'carl'], ['carl']]);
});

it('a name is counted under one spelling, whichever source has it', () => {
  expect(inOrder([source('A', unknown), source('B', unknown)]).nameOf('A\\B\\ann')).toBe('ann');
});

it.each<[string, (identity: Identity, user: string) => Promise<Verdict>]>([
  ['a password', ask],
  ['a key', (identity, user) => identity.authenticateByKey({ user, key: Buffer.alloc(0) })],
  ['a certificate', (identity, user) => identity.authenticateByCertificate({ user, certificate: {} as never, address: '' })],
  ['a token', (identity, user) => identity.authenticateByToken({ token: { user, id: '', secret: '' }, address: '' })],
  ['the word of an issuer', (identity, user) => identity.authenticateVouched({ user })],
])('with %s, a refusal by the first source waits as long as the later ones take for somebody unknown', async (_, by) => {
  const waited: number[] = [];
  const timer = jest.spyOn(jest.requireActual<typeof import('node:timers/promises')>('node:timers/promises'), 'setTimeout').mockImplementation(async (ms) => {
    waited.push(ms ?? 0);
    return undefined as never;
  });
  const clock = jest.spyOn(performance, 'now');
  let time = 0;
  clock.mockImplementation(() => time);
  const slowly = async () => {
    time += 70;
    return unknown;
  };
  const slow: Identity = {
    ...source('', unknown),
    authenticate: slowly,
    authenticateByKey: slowly,
    authenticateByCertificate: slowly,
    authenticateByToken: slowly,
    authenticateVouched: slowly,
  };
  const all = inOrder([source('ann', { kind: 'refused', reason: 'wrong-password' }), slow]);
  await by(all, 'nobody');
  await by(all, 'ann');
  expect(waited).toEqual([70]);
  timer.mockRestore();
  clock.mockRestore();
});
