import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerConfig } from '../../../server/config';
import { HashCosts } from '../../../server/identity/hash-costs';
import type { PasswordQuestion } from '../../../server/identity/hashing/checks';
import { openIdentity } from '../../../server/identity/open';
import { passwordChecks, someConfig } from '../support/passwords';
import { quickHash } from '../support/quick-hash';
import { AuditRecorder } from '../support/server';

const passwords = passwordChecks();
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ftps-remembering-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Accounts of a file, with what was hashed. */
async function opened(accounts: readonly object[], settings: Partial<ServerConfig['passwords']> = {}) {
  const file = join(folder, 'accounts.json');
  const write = async (content: readonly object[]) => {
    await writeFile(join(folder, 'new'), JSON.stringify({ accounts: content }));
    await rename(join(folder, 'new'), file);
  };
  await write(accounts);
  const hashed: PasswordQuestion[] = [];
  const counted = {
    ...passwords,
    check: (question: PasswordQuestion) => {
      hashed.push(question);
      return passwords.check(question);
    },
  };
  const audit = new AuditRecorder();
  const identity = await openIdentity(someConfig({ identity: [{ kind: 'file', file }], passwords: settings }), audit, counted);
  return {
    hashed,
    identity,
    logIn: (user: string, password: string, certificate?: never) => identity.authenticate({ user, password, certificate, address: '192.0.2.1' }),
    async change(content: readonly object[]) {
      const reloads = audit.of('configuration').length;
      await write(content);
      await audit.next('configuration', (event) => audit.of('configuration').indexOf(event) >= reloads);
    },
  };
}

const passwordHash = quickHash('right');

it('a password that was right is hashed once; a wrong one, and an unknown name, every time', async () => {
  const { logIn, hashed, identity } = await opened([{ user: 'ann', passwordHash }]);
  for (let count = 0; count < 3; count += 1) expect(await logIn('ann', 'right')).toMatchObject({ kind: 'accepted', account: { user: 'ann' } });
  expect(hashed).toHaveLength(1);
  for (const [user, password] of [
    ['ann', 'wrong'],
    ['ann', 'wrong'],
    ['eve', 'right'],
    ['eve', 'right'],
  ] as const)
    expect(await logIn(user, password)).toMatchObject({ kind: 'refused' });
  expect(hashed).toHaveLength(5);
  expect(await logIn('ann', 'right')).toMatchObject({ kind: 'accepted' });
  expect(hashed).toHaveLength(5);
  await identity.close();
});

it('the same login at the same moment is hashed once for all, right or wrong', async () => {
  const { logIn, hashed, identity } = await opened([{ user: 'ann', passwordHash }]);
  const verdicts = await Promise.all([...Array(20)].flatMap(() => [logIn('ann', 'right'), logIn('ann', 'wrong'), logIn('eve', 'right')]));
  expect(new Set(verdicts.map(({ kind }, index) => `${index % 3} ${kind}`))).toEqual(new Set(['0 accepted', '1 refused', '2 refused']));
  expect(hashed).toHaveLength(3);
  await identity.close();
});

it('what is remembered holds for the account as it was: hash, state and rules', async () => {
  const account = { user: 'ann', passwordHash };
  const { logIn, hashed, change, identity } = await opened([account, { user: 'bob', passwordHash }]);
  await logIn('ann', 'right');
  await logIn('bob', 'right');
  await change([
    { ...account, enabled: false },
    { user: 'bob', passwordHash },
  ]);
  expect(await logIn('ann', 'right')).toMatchObject({ kind: 'refused', reason: 'account-disabled' });
  await change([
    { ...account, home: '/elsewhere' },
    { user: 'bob', passwordHash },
  ]);
  expect(await logIn('ann', 'right')).toMatchObject({ kind: 'accepted', account: { home: '/elsewhere' } });
  const before = hashed.length;
  expect(await logIn('bob', 'right')).toMatchObject({ kind: 'accepted' }); // nothing has changed for this one
  expect(hashed).toHaveLength(before);
  await change([{ ...account, passwordHash: quickHash('another') }]);
  expect(await logIn('ann', 'right')).toMatchObject({ kind: 'refused', reason: 'wrong-password' });
  expect(await logIn('bob', 'right')).toMatchObject({ kind: 'refused', reason: 'unknown-user' });
  await identity.close();
});

it('nothing is remembered where that is switched off', async () => {
  const { logIn, hashed, identity } = await opened([{ user: 'ann', passwordHash }], { rememberSeconds: 0 });
  for (let count = 0; count < 3; count += 1) await logIn('ann', 'right');
  expect(hashed).toHaveLength(3);
  await identity.close();
});

it('a name without an account costs what some account costs, always the same, where accounts differ', async () => {
  const [cheap, dear] = [quickHash('x'), quickHash('x').replace('ln=4', 'ln=9')];
  const costs = new HashCosts([cheap, dear]);
  const costOf = (name: string) => costs.of(name)?.split('$')[2];
  const names = Array.from({ length: 64 }, (_, index) => `name${index}`);
  expect(new Set(names.map(costOf))).toEqual(new Set(['ln=4,r=8,p=1', 'ln=9,r=8,p=1']));
  // Another worker, or the next start: it reads the same accounts, in another order perhaps.
  const again = new HashCosts([quickHash('x').replace(/\$[^$]+\$[^$]+$/, '$zzzz$zzzz'), dear, cheap]);
  for (const name of names) expect(again.of(name)).toBe(costs.of(name));
  expect(new HashCosts().of('ann')).toBeUndefined();
});
