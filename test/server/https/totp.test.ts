import { codeAt, newTotpSecret, stepAt, stepOf } from '../../../server/identity/totp';
import { quickHash } from '../support/quick-hash';
import { PASSWORD, RawClient } from '../support/server';
import { secret as kept } from '../support/written';
import { type HttpsServed, httpsServed } from './served';

const [app, robots, races] = [newTotpSecret(), newTotpSecret(), newTotpSecret()].map(kept) as [string, string, string];
let server: HttpsServed;
beforeAll(async () => {
  server = await httpsServed({ limits: { lockout: { failuresPerAddress: 1_000, failuresPerAccount: 6, firstSeconds: 1_000 } } }, [
    { user: 'demo' },
    { user: 'ann', totp: { secret: app } },
    { user: 'robot', totp: { secret: robots, without: ['ftps'] } },
    { user: 'digits', passwordHash: quickHash('correct-123456'), totp: { secret: app, without: ['ftps'] } },
    { user: 'races', totp: { secret: races } },
    { user: 'victim', totp: { secret: app } },
  ]);
});
afterAll(() => server.close());

const now = (own: string, off = 0) => codeAt(own, stepAt(Date.now()) + off);
const signIn = (user: string, password: string, code?: string) => server.connect().ask('POST', '/api/v1/sign-in', { body: { user, password, code } });
const last = (user: string) =>
  server.audit
    .of('login')
    .filter(({ login }) => login === user)
    .at(-1);
async function overFtps(user: string, password: string): Promise<string> {
  const client = await RawClient.explicit(server);
  await client.reply();
  await client.upgrade(server);
  await client.send(`USER ${user}`);
  const reply = await client.send(`PASS ${password}`);
  client.close();
  return reply.slice(0, 3);
}

// RFC 6238 appendix B, the last six of its eight digits.
it.each([
  [1111111111, '050471'],
  [1111111109, '081804'],
  [1234567890, '005924'],
  [20000000000, '353130'],
])('makes the codes of RFC 6238 (%d)', (seconds, code) => {
  const twenty = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
  expect(codeAt(twenty, stepAt(seconds * 1000))).toBe(code);
  expect([-30, 0, 30].map((off) => stepOf(twenty, code, (seconds + off) * 1000))).toEqual(Array(3).fill(stepAt(seconds * 1000)));
  expect([-60, 60].map((off) => stepOf(twenty, code, (seconds + off) * 1000))).toEqual([undefined, undefined]);
  expect(stepOf(twenty, `${code}0`, seconds * 1000)).toBeUndefined();
});

it('password and code sign in, each code once, and no earlier one after it; nothing tells what was wrong', async () => {
  const wrong = [
    await signIn('ann', PASSWORD),
    await signIn('ann', PASSWORD, '000000'),
    await signIn('ann', 'wrong', now(app)),
    await signIn('ann', PASSWORD, `${now(app)}0`),
  ];
  for (const answer of wrong) expect(answer).toMatchObject({ status: 401, json: { title: 'Name, password or code is wrong.' } });
  expect(last('ann')).toMatchObject({ reason: 'wrong-code' });
  const code = now(app);
  expect((await signIn('ann', PASSWORD, code)).status).toBe(201);
  expect(last('ann')).toMatchObject({ outcome: 'success', method: 'password+totp' });
  expect((await signIn('ann', PASSWORD, code)).status).toBe(401);
  expect((await signIn('ann', PASSWORD, now(app, -1))).status).toBe(401);
});

it('of several who send the same code at the same moment one comes in', async () => {
  const code = now(races);
  const answers = await Promise.all(Array.from({ length: 5 }, () => signIn('races', PASSWORD, code)));
  expect(answers.map(({ status }) => status).sort()).toEqual([201, 401, 401, 401, 401]);
});

it('where nobody asks for it the code stands behind the password, and the exception of one protocol opens no other', async () => {
  expect(await overFtps('robot', PASSWORD)).toBe('230');
  expect((await signIn('robot', PASSWORD)).status).toBe(401);
  expect(await overFtps('digits', 'correct-123456')).toBe('230');
  expect((await signIn('digits', 'correct-123456')).status).toBe(401);
  expect((await signIn('robot', `${PASSWORD}${now(robots, 1)}`)).status).toBe(201);
  expect(await overFtps('ann', PASSWORD)).toBe('530');
  expect(await overFtps('ann', `${PASSWORD}${now(app, 1)}`)).toBe('230');
});

it('wrong codes lock out as wrong passwords do, and accounts without one need none', async () => {
  for (let count = 0; count < 6; count += 1) await signIn('victim', PASSWORD, '000000');
  expect((await signIn('victim', PASSWORD, now(app))).status).toBe(401);
  expect(last('victim')).toMatchObject({ reason: 'locked-out' });
  expect((await signIn('demo', PASSWORD)).status).toBe(201);
});
