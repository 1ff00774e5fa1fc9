/** How the keys of AS2 follow one another. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { changesAt, goOn, type HeldKeys } from '../../../lib/as2/keys/held';
import { makePair } from '../../../lib/as2/keys/make-pair';

const DAY_MS = 86_400_000;
const rotation = { changeDays: 365, announceDays: 30, keepDays: 90 };
let made = 0;
const make = async () => {
  made += 1;
  return { certificate: `certificate ${made}`, privateKey: `key ${made}` };
};
const at = (day: number) => new Date(day * DAY_MS);
const told = ({ certificate, next, previous }: HeldKeys) => [certificate, next?.certificate, previous?.certificate].map((one) => one?.split(' ')[1]);

it('the next one is known from the beginning, signs in its time, and the one before still decrypts for a while', async () => {
  let held = await goOn(undefined, rotation, make, at(0));
  expect(told(held)).toEqual(['1', '2', undefined]);
  expect(changesAt(held, rotation, at(0))).toEqual(at(365));
  expect(await goOn(held, rotation, make, at(334))).toBe(held);
  held = await goOn(held, rotation, make, at(335));
  expect([held.announcedSince, ...told(held)]).toEqual([at(335).toISOString(), '1', '2', undefined]);
  expect(await goOn(held, rotation, make, at(364))).toBe(held);
  held = await goOn(held, rotation, make, at(365));
  expect(told(held)).toEqual(['2', '3', '1']);
  expect(await goOn(held, rotation, make, at(365 + 89))).toBe(held);
  held = await goOn(held, rotation, make, at(365 + 90));
  expect(told(held)).toEqual(['2', '3', undefined]);
  held = await goOn(held, rotation, make, at(700));
  held = await goOn(held, rotation, make, at(730));
  expect(told(held)).toEqual(['3', '4', '2']);
});

it('changes at once where somebody says so, and never by itself where nobody wants that', async () => {
  const held = await goOn(undefined, rotation, make, at(0));
  const [current, next] = told(held);
  const changed = await goOn(held, { ...rotation, now: true }, make, at(1));
  expect(told(changed)).toEqual([next, expect.any(String), current]);
  const still = { ...rotation, changeDays: 0 };
  expect(changesAt(held, still)).toBeUndefined();
  expect(await goOn(held, still, make, at(5_000))).toBe(held);
});

it('a time that was made shorter leaves partners the whole notice, and a longer one puts the change off', async () => {
  const first = await goOn(undefined, rotation, make, at(0));
  const short = { ...rotation, changeDays: 90 };
  const announced = await goOn(first, short, make, at(200));
  expect([announced.certificate, changesAt(announced, short, at(200))]).toEqual([first.certificate, at(230)]);
  expect(await goOn(announced, short, make, at(229))).toBe(announced);
  expect((await goOn(announced, short, make, at(230))).certificate).toBe(first.next!.certificate);
  const off = await goOn(announced, rotation, make, at(210));
  expect([off.announcedSince, changesAt(off, rotation, at(210))]).toEqual([undefined, at(365)]);
});

it('what somebody else wrote gets a next one, and keeps what signs', async () => {
  const held = await goOn({ certificate: 'certificate old', privateKey: 'key' }, rotation, make, at(10));
  expect([held.certificate, held.inUseSince, held.next]).toEqual(['certificate old', at(10).toISOString(), expect.anything()]);
});

it('a pair is RSA of 3072 bits, certified by itself for the AS2 name, for signatures and keys', async () => {
  const { certificate, privateKey } = await makePair('EXAMPLE, "Inc"', 820);
  const parsed = new X509Certificate(certificate);
  expect(parsed.toLegacyObject().subject).toMatchObject({ CN: 'EXAMPLE, "Inc"' });
  expect([parsed.issuer, parsed.ca, parsed.verify(parsed.publicKey), parsed.checkPrivateKey(createPrivateKey(privateKey))]).toEqual([
    parsed.subject,
    false,
    true,
    true,
  ]);
  expect(parsed.publicKey.asymmetricKeyDetails).toMatchObject({ modulusLength: 3_072 });
  expect(Math.round((Date.parse(parsed.validTo) - Date.now()) / DAY_MS)).toBe(820);
});
