/** When an issuer is asked for its keys, and what is done while it does not answer. */
import { jwtVerify } from 'jose';
import { issuerSchema } from '../../../../server/config/https';
import { Authorities } from '../../../../server/identity/authorities';
import { Issuer } from '../../../../server/identity/issuers/issuer';
import { Keys, KeysUnavailable, KeysUnfit } from '../../../../server/identity/issuers/keys';
import { askTheWeb } from '../../../../server/identity/issuers/web';
import { type IssuerKey, issuerKey, TestIssuer } from '../../support/issuer';
import { AuditRecorder } from '../../support/server';

const MINUTE = 60_000;
let issuer: TestIssuer;
beforeAll(async () => {
  issuer = await TestIssuer.open();
});
afterAll(() => issuer.close());

/** Keys with a clock in a test's hands. */
function keysWith(first: readonly IssuerKey[]) {
  const state = { now: 0, keys: first as readonly IssuerKey[] | 'down', asked: 0, unfit: false, health: [] as string[] };
  const keys = new Keys({
    seconds: 600,
    now: () => state.now,
    report: (one) => state.health.push(one),
    async ask() {
      state.asked += 1;
      if (state.unfit) throw new KeysUnfit();
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

describe('within FIPS 140-3', () => {
  const issuerOf = async (from: TestIssuer, fips = true, algorithms?: string[]) => {
    const health: string[] = [];
    const rules = [{ claims: [{ name: 'sub', value: 'someone' }], user: 'demo' }];
    const config = issuerSchema.parse({
      issuer: from.url,
      audience: ['files'],
      ca: from.ca,
      jwksUri: `${from.url}/keys`,
      rules,
      ...(algorithms ? { algorithms } : {}),
    });
    const one = new Issuer(
      config,
      await Authorities.open(from.ca, 'ca', 'authorities', new AuditRecorder()),
      (state, detail) => health.push(`${state} ${detail}`),
      { fips },
    );
    return { health, check: async (key: IssuerKey) => one.check(await from.sign({}, { key }), config) };
  };

  it('an issuer all of whose keys are EdDSA is told of at once, and its tokens can not be checked', async () => {
    const from = await TestIssuer.open();
    const key = await issuerKey('ed', 'EdDSA');
    from.keys = [key];
    const { health, check } = await issuerOf(from);
    while (health.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await check(key)).toMatchObject({
      kind: 'unavailable',
      reason: expect.stringContaining('all its keys are EdDSA, which tls.policy "fips" does not take'),
    });
    expect(health).toEqual([expect.stringMatching(/^down https:.*all its keys are EdDSA/)]);
    expect(await (await issuerOf(from, false)).check(key)).toMatchObject({ kind: 'good' });
    await from.close();
  });

  it('one of several kinds of keys is good with the others alone', async () => {
    const from = await TestIssuer.open();
    const [ed, ec] = [await issuerKey('ed', 'EdDSA'), await issuerKey('ec')];
    from.keys = [ed, ec];
    const { health, check } = await issuerOf(from);
    expect([await check(ec), await check(ed)]).toMatchObject([{ kind: 'good' }, { kind: 'bad', reason: 'token-not-valid' }]);
    expect(health).toEqual([]);
    await from.close();
  });

  it('keys that gave place to such ones are good no more', async () => {
    const [old, ed] = [await issuerKey('old'), await issuerKey('ed', 'EdDSA')];
    const { state, check } = keysWith([old]);
    await check(old);
    state.keys = [ed];
    state.unfit = true;
    state.now = 11 * MINUTE;
    await expect(check(old)).rejects.toThrow(KeysUnavailable);
  });
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
