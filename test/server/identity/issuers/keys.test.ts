/** When an issuer is asked for its keys, and what is done while it does not answer. */
import { jwtVerify } from 'jose';
import { Keys, KeysUnavailable } from '../../../../server/identity/issuers/keys';
import { askTheWeb } from '../../../../server/identity/issuers/web';
import { type IssuerKey, issuerKey, TestIssuer } from '../../support/issuer';

const MINUTE = 60_000;
let issuer: TestIssuer;
beforeAll(async () => {
  issuer = await TestIssuer.open();
});
afterAll(() => issuer.close());

/** Keys with a clock in a test's hands. */
function keysWith(first: readonly IssuerKey[]) {
  const state = { now: 0, keys: first as readonly IssuerKey[] | 'down', asked: 0, health: [] as string[] };
  const keys = new Keys({
    seconds: 600,
    now: () => state.now,
    report: (one) => state.health.push(one),
    async ask() {
      state.asked += 1;
      if (state.keys === 'down') throw new Error('is down');
      return { keys: state.keys.map(({ jwk }) => jwk) };
    },
  });
  const check = async (key: IssuerKey) => jwtVerify(await issuer.sign({}, { key }), keys.keyFor);
  return { state, check };
}

it('a new key is found at once, and one that was taken back is none after ten minutes', async () => {
  const [old, fresh] = [await issuerKey('old'), await issuerKey('fresh')];
  const { state, check } = keysWith([old]);
  await check(old);
  state.keys = [fresh];
  await expect(check(fresh)).rejects.toThrow('no applicable key');
  state.now = MINUTE;
  await check(fresh);
  expect(state.asked).toBe(2);
  state.keys = [];
  state.now = 10 * MINUTE;
  await check(fresh);
  state.now = 11 * MINUTE + 1;
  await expect(check(fresh)).rejects.toThrow('no applicable key');
});

it('keys stay while the issuer is down, for a day, and it is asked twice a minute meanwhile', async () => {
  const key = await issuerKey('one');
  const { state, check } = keysWith([key]);
  await check(key);
  state.keys = 'down';
  for (state.now = 20 * MINUTE; state.now < 22 * MINUTE; state.now += 1_000) await check(key);
  expect(state.asked).toBe(5);
  expect(state.health).toEqual(['down']);
  state.now = 24 * 60 * MINUTE + 1;
  await expect(check(key)).rejects.toThrow(KeysUnavailable);
  state.keys = [key];
  state.now += MINUTE;
  await check(key);
  expect(state.health).toEqual(['down', 'up']);
});

it('an issuer that never answered is not known to be wrong', async () => {
  const { state, check } = keysWith([]);
  state.keys = 'down';
  await expect(check(await issuerKey('one'))).rejects.toThrow(new KeysUnavailable('is down'));
});

it.each([
  ['of a huge size', `{"keys":["${'x'.repeat(300_000)}"]}`, 'answered more than 262144 bytes'],
  ['that is no JSON', 'x', 'answered 200 and no JSON object'],
  ['that is a list', '[]', 'answered 200 and no JSON object'],
])('an answer %s is none', async (_, body, words) => {
  issuer.instead.set('/odd', body);
  await expect(askTheWeb(`${issuer.url}/odd`, { ca: issuer.ca })).rejects.toThrow(words);
});

it('is asked over TLS that is verified, and over nothing else', async () => {
  await expect(askTheWeb(`${issuer.url}/keys`, { ca: undefined })).rejects.toThrow(/certificate|self-signed|issuer/i);
  await expect(askTheWeb('http://localhost/keys', { ca: undefined })).rejects.toThrow('is not https');
});
