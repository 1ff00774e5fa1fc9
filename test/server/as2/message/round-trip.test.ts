/** What is sealed opens again, in each form that there is. */
import { randomBytes } from 'node:crypto';
import type { Cipher, Digest, KeyPair, SealOptions } from '../../../../server/as2/message';
import { collect, cut, open, pair, payload, seal } from './partners';

let sender: KeyPair;
let receiver: KeyPair;
let curveSender: KeyPair;
let curveReceiver: KeyPair;
beforeAll(async () => {
  [sender, receiver, curveSender, curveReceiver] = (await Promise.all([pair(true), pair(true), pair(false), pair(false)])) as [
    KeyPair,
    KeyPair,
    KeyPair,
    KeyPair,
  ];
});

const CONTENT = Buffer.from("UNA:+.? '\r\nUNB+UNOA:1\n\0\xff--signed\r\n".repeat(3000), 'latin1');
const DIGESTS: readonly Digest[] = ['sha1', 'sha256', 'sha384', 'sha512'];
const CIPHERS: readonly Cipher[] = ['aes-128-cbc', 'aes-192-cbc', 'aes-256-cbc', 'aes-128-gcm', 'aes-192-gcm', 'aes-256-gcm', 'des-ede3-cbc'];

async function there(options: Omit<SealOptions, 'messageId'>) {
  const message = await seal([payload(CONTENT)], options);
  if (message.headers['content-length'] !== undefined) expect(Number(message.headers['content-length'])).toBe(message.body.length);
  const keys = {
    decryption: [curveReceiver, receiver],
    signers: [curveSender.certificate, sender.certificate],
    policy: { mustSign: options.sign !== undefined, mustEncrypt: options.encrypt !== undefined, digests: DIGESTS, ciphers: CIPHERS },
  };
  const opened = await open(message, keys);
  expect(opened.files).toMatchObject([{ name: 'invoice.edi', contentType: 'application/edi-x12' }]);
  expect(CONTENT.equals(opened.files[0]!.content)).toBe(true);
  expect(opened.mic).toEqual(message.mics[0]);
  // Bytes come cut as the network cuts them.
  const again = await open({ headers: message.headers, body: cut(message.body, 1, 7, 4096, 3) }, keys);
  expect(CONTENT.equals(again.files[0]!.content)).toBe(true);
  expect(again.mic).toEqual(opened.mic);
  return { message, opened };
}

describe.each(['rsa', 'curve'] as const)('keys of %s', (kind) => {
  const from = () => (kind === 'rsa' ? sender : curveSender);
  const to = () => (kind === 'rsa' ? receiver : curveReceiver);

  test.each(DIGESTS)('signed with %s, beside and around the content', async (digest) => {
    for (const detached of [true, false]) {
      const { opened } = await there({ sign: { by: from(), digest, detached } });
      expect(opened.layers).toEqual([{ kind: 'signed', digest, signature: kind === 'rsa' ? 'pkcs1' : 'ecdsa', signer: from().certificate, detached }]);
      expect(opened.signer).toBe(from().certificate);
    }
  });

  test.each(CIPHERS)('encrypted with %s, definite and indefinite', async (cipher) => {
    for (const lengths of ['auto', 'indefinite'] as const) {
      const { opened, message } = await there({ encrypt: { for: [to().certificate], cipher }, lengths });
      expect(opened.layers).toEqual([{ kind: 'encrypted', cipher, transport: kind === 'rsa' ? 'rsa-pkcs1' : 'ecdh', recipient: to().certificate }]);
      expect(message.headers['content-length'] === undefined).toBe(lengths === 'indefinite');
    }
  });

  test.each(['before-signing', 'after-signing'] as const)('compressed %s, signed and encrypted', async (compress) => {
    for (const layerEncoding of ['binary', 'base64'] as const) {
      const { opened } = await there({
        compress,
        sign: { by: from(), digest: 'sha256' },
        encrypt: { for: [to().certificate], cipher: 'aes-256-gcm' },
        layerEncoding,
      });
      expect(opened.layers.map(({ kind }) => kind)).toEqual(
        compress === 'before-signing' ? ['encrypted', 'signed', 'compressed'] : ['encrypted', 'compressed', 'signed'],
      );
      expect([opened.signed, opened.encrypted, opened.compressed]).toEqual([true, true, true]);
    }
  });
});

test('RSA PSS signs, RSA OAEP keeps the key', async () => {
  const { opened } = await there({
    sign: { by: sender, digest: 'sha384', rsa: 'pss' },
    encrypt: { for: [receiver.certificate], cipher: 'aes-128-gcm', transport: 'rsa-oaep', oaepDigest: 'sha1' },
  });
  expect(opened.layers).toMatchObject([
    { kind: 'encrypted', transport: 'rsa-oaep' },
    { kind: 'signed', signature: 'pss' },
  ]);
  await there({ encrypt: { for: [receiver.certificate], cipher: 'aes-128-cbc', transport: 'rsa-oaep' } });
});

test('a message for several is opened by each', async () => {
  const message = await seal([payload('for both')], { encrypt: { for: [receiver.certificate, curveReceiver.certificate], cipher: 'aes-256-cbc' } });
  for (const one of [receiver, curveReceiver]) {
    const opened = await open(message, { decryption: [one], signers: [], policy: { mustSign: false } });
    expect(String(opened.files[0]!.content)).toBe('for both');
  }
});

test('neither signed nor encrypted, the MIC is that of the content alone', async () => {
  const { opened } = await there({});
  expect(opened.layers).toEqual([]);
  expect(opened.contentType).toBe('application/edi-x12');
});

test('compressed alone', async () => {
  const { opened } = await there({ compress: 'before-signing' });
  expect(opened.layers).toEqual([{ kind: 'compressed' }]);
});

test('several payloads, each with its name, empty ones too', async () => {
  const binary = randomBytes(5_000);
  for (const payloadEncoding of ['binary', 'base64'] as const) {
    const parts = [
      payload('<order/>', { name: 'Bestellung größer.xml', contentType: 'application/xml; charset=utf-8' }),
      payload(binary, { name: 'drawing "A".pdf', contentType: 'application/pdf' }),
      payload('', { name: undefined, contentType: 'text/plain' }),
    ];
    const message = await seal(parts, {
      sign: { by: sender, digest: 'sha256' },
      encrypt: { for: [receiver.certificate], cipher: 'aes-128-cbc' },
      payloadEncoding,
    });
    expect(Number(message.headers['content-length'])).toBe(message.body.length);
    const opened = await open(message, { decryption: [receiver], signers: [sender.certificate] });
    expect(opened.files).toEqual([
      { name: 'Bestellung größer.xml', contentType: 'application/xml; charset=utf-8', content: Buffer.from('<order/>') },
      { name: 'drawing "A".pdf', contentType: 'application/pdf', content: binary },
      { name: undefined, contentType: 'text/plain', content: Buffer.alloc(0) },
    ]);
    expect(opened.payloads).toBe(3);
    expect(opened.mic).toEqual(message.mics[0]);
  }
});

test('a message that is sent again has the same MIC, and further ones where they are asked for', async () => {
  const options = { sign: { by: sender, digest: 'sha256', micName: 'sha256' }, furtherMics: ['sha1'] } as const;
  const [first, again] = [await seal([payload('a'), payload('b')], options), await seal([payload('a'), payload('b')], options)];
  expect(first.mics).toEqual(again.mics);
  expect(first.mics.map(({ name }) => name)).toEqual(['sha256', 'sha-1']);
  expect(first.headers['content-type']).toContain('micalg=sha256');
});

test('a payload of another length than was said is not sent', async () => {
  await expect(seal([payload('four', { size: 5 })], {})).rejects.toThrow('not the 5 bytes long');
  await expect(seal([payload('four', { size: 3 })], { encrypt: { for: [receiver.certificate], cipher: 'aes-128-cbc' } })).rejects.toThrow(
    'not the 3 bytes long',
  );
});

test('a sink that reads nothing, or half, gets the next payload all the same', async () => {
  const message = await seal([payload(randomBytes(500_000)), payload('second')], { sign: { by: sender, digest: 'sha256' } });
  const { openMessage } = await import('../../../../server/as2/message');
  const seen: string[] = [];
  await openMessage(
    message.headers,
    cut(message.body, 1000),
    { decryption: [], signers: [sender.certificate], policy: { mustEncrypt: false } },
    {},
    async ({ index, body }) => {
      if (index === 0) {
        for await (const _ of body) break;
      } else seen.push(String(await collect(body)));
    },
  );
  expect(seen).toEqual(['second']);
});
