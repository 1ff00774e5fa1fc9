/** Messages to and from OpenSSL's `cms`: what it signs and encrypts is read, and it reads what is written here. */
import { createHash } from 'node:crypto';
import type { Cipher, Digest, Mic, SealOptions } from '../../../server/as2/message';
import { cut, open, payload, seal } from '../../server/as2/message/partners';
import { entity, type Keys, OpenSsl } from './openssl';

const openssl = new OpenSsl();
let sender: Keys;
let receiver: Keys;
let curveSender: Keys;
let curveReceiver: Keys;
beforeAll(() => {
  sender = openssl.keys('sender', 'rsa:2048');
  receiver = openssl.keys('receiver', 'rsa:2048');
  curveSender = openssl.keys('curve-sender', 'P-521');
  curveReceiver = openssl.keys('curve-receiver', 'P-256');
});
afterAll(() => openssl.remove());

const CONTENT = Buffer.from(`UNB+UNOA:1+\xfc\0\r\n${'line of an order\r\n'.repeat(10_000)}`, 'latin1');
const PART = Buffer.concat([
  Buffer.from('Content-Type: application/edifact\r\nContent-Disposition: attachment; filename="order.edi"\r\nContent-Transfer-Encoding: binary\r\n\r\n'),
  CONTENT,
]);

const micOf = (digest: Digest): Pick<Mic, 'algorithm' | 'value'> => ({ algorithm: digest, value: createHash(digest).update(PART).digest('base64') });
const keys = () => ({
  decryption: [receiver, curveReceiver],
  signers: [sender.certificate, curveSender.certificate],
  policy: {
    mustSign: false,
    mustEncrypt: false,
    ciphers: ['aes-128-cbc', 'aes-192-cbc', 'aes-256-cbc', 'aes-128-gcm', 'aes-192-gcm', 'aes-256-gcm', 'des-ede3-cbc'] as Cipher[],
  },
});

async function reads(message: { headers: Record<string, string>; body: Buffer }) {
  const opened = await open(message, keys());
  expect(opened.files.map(({ name, contentType }) => [name, contentType])).toEqual([['order.edi', 'application/edifact']]);
  expect(CONTENT.equals(opened.files[0]!.content)).toBe(true);
  const again = await open({ headers: message.headers, body: cut(message.body, 1, 2, 3, 5000) }, keys());
  expect(again.mic).toEqual(opened.mic);
  return opened;
}
const inCms = (body: Buffer) => ({ headers: { 'content-type': 'application/pkcs7-mime' }, body });
const signing = (by: Keys, digest = 'sha256') => ['-sign', '-binary', '-signer', by.certificateFile, '-inkey', by.keyFile, '-md', digest];

describe('reads what OpenSSL signs', () => {
  test.each(['sha256', 'sha384', 'sha512'] as const)('with %s, beside and around the content', async (digest) => {
    for (const by of [sender, curveSender]) {
      const beside = await reads(entity(openssl.cms([...signing(by, digest), '-outform', 'SMIME'], PART)));
      expect(beside.mic).toMatchObject(micOf(digest));
      expect(beside.signer).toBe(by.certificate);
      for (const form of [[], ['-stream'], ['-keyid']]) {
        const around = await reads(inCms(openssl.cms([...signing(by, digest), '-nodetach', '-outform', 'DER', ...form], PART)));
        expect(around.mic).toMatchObject(micOf(digest));
      }
    }
  });

  test('with PSS, and without signed attributes', async () => {
    const pss = await reads(entity(openssl.cms([...signing(sender), '-keyopt', 'rsa_padding_mode:pss', '-outform', 'SMIME'], PART)));
    expect(pss.layers).toMatchObject([{ signature: 'pss' }]);
    const bare = openssl.cms([...signing(sender), '-noattr', '-outform', 'SMIME'], PART);
    expect((await reads(entity(bare))).mic).toMatchObject(micOf('sha256'));
    bare[bare.indexOf('order\r\n')]! ^= 1;
    await expect(open(entity(bare), keys())).rejects.toMatchObject({ disposition: 'integrity-check-failed' });
  });

  test('as text whose lines it sends with line feeds alone, signed with CR LF', async () => {
    const text = Buffer.from('Content-Type: text/plain\n\nhello\nworld\n');
    const message = entity(openssl.cms(['-sign', '-signer', sender.certificateFile, '-inkey', sender.keyFile, '-outform', 'SMIME'], text));
    const opened = await open(message, keys());
    expect(opened.mic.value).toBe(createHash('sha256').update(text.toString().replaceAll('\n', '\r\n')).digest('base64'));
  });

  test('by two at once, of whom both are the partner', async () => {
    const two = [...signing(sender), '-signer', curveSender.certificateFile, '-inkey', curveSender.keyFile, '-outform', 'SMIME'];
    await reads(entity(openssl.cms(two, PART)));
    await expect(open(entity(openssl.cms(two, PART)), { ...keys(), signers: [sender.certificate] })).rejects.toMatchObject({
      disposition: 'authentication-failed',
    });
  });
});

describe('reads what OpenSSL encrypts', () => {
  test.each(['-aes-128-cbc', '-aes-192-cbc', '-aes-256-cbc', '-aes-128-gcm', '-aes-256-gcm', '-des3'])('with %s', async (cipher) => {
    // Of elliptic curves it wraps a key of 3DES by 3DES, which nothing but it does.
    for (const to of cipher === '-des3' ? [receiver] : [receiver, curveReceiver])
      for (const form of [[], ['-stream'], ['-keyid']]) {
        const opened = await reads(inCms(openssl.cms(['-encrypt', '-binary', cipher, '-outform', 'DER', ...form, '-recip', to.certificateFile], PART)));
        expect(opened.mic).toMatchObject(micOf('sha256'));
        expect(opened.layers).toMatchObject([{ kind: 'encrypted', recipient: to.certificate, transport: to === receiver ? 'rsa-pkcs1' : 'ecdh' }]);
      }
    await reads(entity(openssl.cms(['-encrypt', '-binary', cipher, '-outform', 'SMIME', '-recip', receiver.certificateFile], PART)));
  });

  test('with OAEP, of several digests and masks', async () => {
    for (const keyopt of [[], ['rsa_oaep_md:sha256'], ['rsa_oaep_md:sha256', 'rsa_mgf1_md:sha1'], ['rsa_oaep_md:sha512', 'rsa_mgf1_md:sha512']]) {
      const options = ['rsa_padding_mode:oaep', ...keyopt].flatMap((one) => ['-keyopt', one]);
      const opened = await reads(
        inCms(openssl.cms(['-encrypt', '-binary', '-aes-256-cbc', '-outform', 'DER', '-recip', receiver.certificateFile, ...options], PART)),
      );
      expect(opened.layers).toMatchObject([{ transport: 'rsa-oaep' }]);
    }
  });

  test('and signed before', async () => {
    const signed = openssl.cms([...signing(sender), '-outform', 'SMIME'], PART);
    const opened = await reads(
      inCms(openssl.cms(['-encrypt', '-binary', '-aes-256-gcm', '-outform', 'DER', '-stream', '-recip', receiver.certificateFile], signed)),
    );
    expect(opened.layers.map(({ kind }) => kind)).toEqual(['encrypted', 'signed']);
    expect(opened.mic).toMatchObject(micOf('sha256'));
  });
});

describe('OpenSSL reads what is written here', () => {
  const written = (options: Omit<SealOptions, 'messageId'>) => seal([payload(CONTENT, { name: 'order.edi', contentType: 'application/edifact' })], options);
  const decrypted = (body: Buffer, to: Keys) =>
    openssl.cms(['-decrypt', '-binary', '-inform', 'DER', '-recip', to.certificateFile, '-inkey', to.keyFile], body);
  const verified = (bytes: Buffer, by: Keys) =>
    openssl.cms(['-verify', '-binary', '-inform', 'DER', '-certfile', by.certificateFile, '-CAfile', by.certificateFile, '-purpose', 'any'], bytes);

  /** The content beside its signature, as it stands: OpenSSL's own reader of S/MIME changes content that is no text. */
  const besideIt = (message: { headers: Record<string, string>; body: Buffer }, by: Keys) => {
    const [, boundary] = /boundary="?([^";]+)/.exec(Object.entries(message.headers).find(([name]) => /^content-type$/i.test(name))![1])!;
    const between = `\r\n--${boundary}`;
    const text = `\r\n${message.body.toString('latin1')}`;
    const [, content, signature] = text.split(between).map((part) => Buffer.from(part.replace(/^\r\n/, ''), 'latin1')) as [Buffer, Buffer, Buffer];
    const signed = entity(signature);
    const isText = Object.entries(signed.headers).some(([name, value]) => /^content-transfer-encoding$/i.test(name) && /base64/i.test(value));
    return openssl.beside(content, isText ? Buffer.from(signed.body.toString('latin1'), 'base64') : signed.body, by);
  };

  test.each(['sha256', 'sha384', 'sha512'] as const)('signed with %s', async (digest) => {
    for (const by of [sender, curveSender])
      for (const lengths of ['auto', 'indefinite'] as const) {
        const beside = await written({ sign: { by, digest }, lengths });
        expect(entity(besideIt(beside, by)).body.equals(CONTENT)).toBe(true);
        const around = await written({ sign: { by, digest, detached: false }, lengths });
        const content = verified(around.body, by);
        expect(entity(content).body.equals(CONTENT)).toBe(true);
        expect(createHash(digest).update(content).digest('base64')).toBe(around.mics[0]!.value);
      }
    const pss = await written({ sign: { by: sender, digest, rsa: 'pss' } });
    expect(entity(besideIt(pss, sender)).body.equals(CONTENT)).toBe(true);
  });

  test.each(['aes-128-cbc', 'aes-192-cbc', 'aes-256-cbc', 'aes-128-gcm', 'aes-192-gcm', 'aes-256-gcm', 'des-ede3-cbc'] as const)(
    'encrypted with %s',
    async (cipher) => {
      for (const to of [receiver, curveReceiver])
        for (const lengths of ['auto', 'indefinite'] as const)
          for (const transport of ['rsa-pkcs1', 'rsa-oaep'] as const) {
            const message = await written({ encrypt: { for: [to.certificate], cipher, transport }, lengths });
            const part = decrypted(message.body, to);
            expect(entity(part).body.equals(CONTENT)).toBe(true);
            expect(createHash('sha256').update(part).digest('base64')).toBe(message.mics[0]!.value);
          }
    },
  );
});
