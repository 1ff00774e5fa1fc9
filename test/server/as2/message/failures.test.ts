/** Each way in which a message is no good, and what its receipt then says. */
import { randomBytes } from 'node:crypto';
import { deflateSync } from 'node:zlib';
import { dispositionField, type KeyPair, type MessageFailure, type OpenKeys, openMessage, type Policy, type SealOptions } from '../../../../server/as2/message';
import { digestOid } from '../../../../server/as2/message/algorithms';
import { algorithm, element, integer, octetString, oid, readWhole, sequence } from '../../../../server/as2/message/cms/der';
import { COMPRESSED_DATA, DATA, ENVELOPED_DATA, RSA, ZLIB } from '../../../../server/as2/message/cms/oids';
import { checkSigners } from '../../../../server/as2/message/cms/signers';
import { Digesting } from '../../../../server/as2/message/mime/digesting';
import { of, open, pair, payload, refusal, seal, type Written } from './partners';

let sender: KeyPair;
let receiver: KeyPair;
let stranger: KeyPair;
let expired: KeyPair;
beforeAll(async () => {
  [sender, receiver, stranger, expired] = (await Promise.all([pair(true), pair(true), pair(true), pair(false, { from: -10, until: -1 })])) as [
    KeyPair,
    KeyPair,
    KeyPair,
    KeyPair,
  ];
});

const EASY: Partial<Policy> = { mustSign: false, mustEncrypt: false };
const keys = (policy: Partial<Policy> = {}): OpenKeys => ({ decryption: [receiver], signers: [sender.certificate], policy });
const encrypt = (): NonNullable<SealOptions['encrypt']> => ({ for: [receiver.certificate], cipher: 'aes-256-cbc' });
const sign = (): NonNullable<SealOptions['sign']> => ({ by: sender, digest: 'sha256' });

/** A message that says it is of CMS, with this in it. */
function cms(body: Buffer): Written {
  return { headers: { 'content-type': 'application/pkcs7-mime' }, body };
}
function compressed(bytes: Buffer): Buffer {
  const data = sequence(integer(0), algorithm(ZLIB), sequence(oid(DATA), element(0xa0, octetString(bytes))));
  return sequence(oid(COMPRESSED_DATA), element(0xa0, data));
}
function changed(body: Buffer, at: number): Buffer {
  const other = Buffer.from(body);
  other[at]! ^= 1;
  return other;
}

/** Checks a signer of the partner's whose signed attributes are these. */
async function signerWith(...attributes: readonly Buffer[]) {
  const { certificate } = sender;
  const name = sequence(readWhole(certificate.raw).child(0).child(3).raw, readWhole(certificate.raw).child(0).child(1).raw);
  const info = sequence(integer(1), name, algorithm(digestOid('sha256')), element(0xa0, ...attributes), algorithm(RSA), octetString(Buffer.alloc(256)));
  const passed = new Digesting(['sha256'], false);
  const believed = { certificates: [certificate], digests: ['sha256'], allowExpired: false, now: new Date(), signers: 1 } as const;
  return { signed: checkSigners([readWhole(info)], DATA, passed, believed) };
}

describe('decryption-failed', () => {
  test('encrypted for somebody else', async () => {
    const message = await seal([payload('x')], { encrypt: { for: [stranger.certificate], cipher: 'aes-256-gcm' } });
    expect(await refusal(open(message, keys()))).toBe('decryption-failed');
  });

  test('a key that is kept wrongly and content that was changed are not told apart', async () => {
    const long = Buffer.alloc(10_000, 'content ');
    for (const transport of ['rsa-pkcs1', 'rsa-oaep'] as const)
      for (const cipher of ['aes-128-gcm', 'aes-256-cbc'] as const) {
        const message = await seal([payload(long)], { sign: sign(), encrypt: { ...encrypt(), cipher, transport } });
        const sealedKey = message.body.indexOf(Buffer.from([0x04, 0x82, 0x01, 0x00])) + 4;
        const refused = async (body: Buffer) =>
          open({ ...message, body }, keys()).catch((error: Error) => [(error as MessageFailure).disposition, error.message]);
        const byKey = await refused(changed(message.body, sealedKey + 20));
        expect(byKey).toEqual(['decryption-failed', 'what comes out of the cipher is no message']);
        const content = sealedKey + 5000;
        expect(((await refused(changed(message.body, content))) as readonly string[])[0]).toMatch(
          /decryption-failed|authentication-failed|integrity-check-failed/,
        );
      }
  });

  test('what a wrong key gives is never taken for a message, also where it begins with the end of a line', async () => {
    const message = await seal([payload(Buffer.alloc(2_000, 'x'))], { sign: sign(), encrypt: { ...encrypt(), cipher: 'aes-256-cbc', transport: 'rsa-pkcs1' } });
    const sealedKey = message.body.indexOf(Buffer.from([0x04, 0x82, 0x01, 0x00])) + 4;
    const told = new Set<unknown>();
    for (let at = 8; at < 248; at += 1) told.add(await refusal(open({ ...message, body: changed(message.body, sealedKey + at) }, keys())));
    expect([...told]).toEqual(['decryption-failed']);
  });

  test('content that an authenticated cipher does not let through', async () => {
    const message = await seal([payload(Buffer.alloc(50_000, 'x'))], { encrypt: { ...encrypt(), cipher: 'aes-256-gcm' } });
    expect(await refusal(open({ ...message, body: changed(message.body, message.body.length - 5000) }, keys(EASY)))).toBe('decryption-failed');
    expect(await refusal(open({ ...message, body: changed(message.body, message.body.length - 1) }, keys(EASY)))).toBe('decryption-failed');
  });

  test('content whose end is missing a block', async () => {
    const message = await seal([payload(Buffer.alloc(50_000, 'x'))], { encrypt: encrypt() });
    expect(await refusal(open({ ...message, body: changed(message.body, message.body.length - 17) }, keys(EASY)))).toBe('decryption-failed');
  });
});

describe('authentication-failed', () => {
  test('signed by another than the partner', async () => {
    const message = await seal([payload('x')], { sign: { by: stranger, digest: 'sha256' } });
    expect(await refusal(open(message, keys(EASY)))).toBe('authentication-failed');
  });

  test('signed in the name of the partner by another key', async () => {
    const message = await seal([payload('x')], { sign: { by: { certificate: sender.certificate, key: stranger.key }, digest: 'sha256' } });
    expect(await refusal(open(message, keys(EASY)))).toBe('authentication-failed');
  });

  test('signed by a certificate that has run out, unless that is allowed', async () => {
    const message = await seal([payload('x')], { sign: { by: expired, digest: 'sha256' } });
    const of = (allowExpired: boolean): OpenKeys => ({ decryption: [], signers: [expired.certificate], policy: { mustEncrypt: false, allowExpired } });
    expect(await refusal(open(message, of(false)))).toBe('authentication-failed');
    expect(await refusal(open(message, of(true)))).toBe('taken');
    expect(await refusal(open(message, { ...of(false), now: new Date(Date.now() - 5 * 86_400_000) }))).toBe('taken');
  });

  test('a signature that is not there', async () => {
    const body = Buffer.from('--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n--b--\r\n');
    expect(await refusal(open({ headers: { 'content-type': 'multipart/signed; boundary=b' }, body }, keys(EASY)))).toBe('authentication-failed');
  });
});

describe('integrity-check-failed', () => {
  test.each([true, false])('signed content that was changed, with the signature beside it: %s', async (detached) => {
    const message = await seal([payload(Buffer.alloc(50_000, 'x'))], { sign: { ...sign(), detached } });
    expect(await refusal(open({ ...message, body: changed(message.body, 20_000) }, keys(EASY)))).toBe('integrity-check-failed');
  });

  test('the sink has had all of it by then: only what openMessage resolves with is final', async () => {
    const message = await seal([payload('payload')], { sign: sign() });
    const body = Buffer.from(message.body.toString('latin1').replace('payload', 'Payload'), 'latin1');
    let staged = '';
    const opening = openMessage(message.headers, of(body), keys(EASY), {}, async ({ body }) => {
      for await (const chunk of body) staged += String(chunk);
    });
    await expect(opening).rejects.toMatchObject({ disposition: 'integrity-check-failed' });
    expect(staged).toBe('Payload');
  });
});

describe('decompression-failed', () => {
  test('what is no zlib, is cut, has something behind it or is compressed otherwise', async () => {
    const part = Buffer.from('Content-Type: text/plain\r\n\r\nhello');
    const deflated = deflateSync(Buffer.concat([part, randomBytes(200_000)]));
    for (const bytes of [randomBytes(1000), deflated.subarray(0, -100), Buffer.concat([deflated, randomBytes(300_000)]), Buffer.alloc(0)])
      expect(await refusal(open(cms(compressed(bytes)), keys(EASY)))).toBe('decompression-failed');
    expect(await refusal(open(cms(compressed(deflated)), keys(EASY)))).toBe('taken');
    const other = sequence(
      oid(COMPRESSED_DATA),
      element(0xa0, sequence(integer(0), algorithm('1.2.3'), sequence(oid(DATA), element(0xa0, octetString(deflated))))),
    );
    expect(await refusal(open(cms(other), keys(EASY)))).toBe('decompression-failed');
  });

  test('a bomb is stopped at its bound, and one within another too', async () => {
    const part = Buffer.concat([Buffer.from('Content-Type: application/octet-stream\r\n\r\n'), Buffer.alloc(64 * 1024 * 1024)]);
    const bomb = deflateSync(part, { level: 9 });
    let taken = 0;
    const opening = openMessage(cms(bomb).headers, of(compressed(bomb)), keys(EASY), {}, async ({ body }) => {
      for await (const chunk of body) taken += chunk.length;
    });
    await expect(opening).rejects.toMatchObject({ disposition: 'decompression-failed' });
    expect(taken).toBeLessThan(16 * 1024 * 1024);
    const inner = Buffer.concat([Buffer.from('Content-Type: application/pkcs7-mime\r\n\r\n'), compressed(bomb)]);
    expect(await refusal(open(cms(compressed(deflateSync(inner))), keys(EASY), { inflation: 200 }))).toBe('decompression-failed');
  });

  test('layers within each other inflate no further together than one may alone', async () => {
    const layer = (bytes: Buffer) => Buffer.concat([Buffer.from('Content-Type: application/pkcs7-mime\r\n\r\n'), compressed(bytes)]);
    const part = Buffer.concat([Buffer.from('Content-Type: application/octet-stream\r\n\r\n'), Buffer.alloc(16 * 1024 * 1024)]);
    const once = deflateSync(part, { level: 9 });
    const twice = deflateSync(layer(once), { level: 9 });
    // Neither is more than deflate can do.
    expect(await refusal(open(cms(compressed(once)), keys(EASY), { inflation: 1100 }))).toBe('taken');
    expect(await refusal(open(cms(compressed(twice)), keys(EASY), { inflation: 1100 }))).toBe('decompression-failed');
    const random = deflateSync(Buffer.concat([Buffer.from('Content-Type: application/octet-stream\r\n\r\n'), randomBytes(3 * 1024 * 1024)]));
    expect(await refusal(open(cms(compressed(deflateSync(layer(random)))), keys(EASY), { inflation: 2 }))).toBe('taken');
  });
});

describe('insufficient-message-security', () => {
  test('a partner that must sign or encrypt and did not, before anything is handed out', async () => {
    const signed = await seal([payload('x')], { sign: sign() });
    const encrypted = await seal([payload('x')], { encrypt: encrypt() });
    const plain = await seal([payload('x')], {});
    for (const message of [signed, encrypted, plain]) {
      let handedOut = 0;
      const opening = openMessage(message.headers, of(message.body), keys(), {}, async () => {
        handedOut++;
      });
      await expect(opening).rejects.toMatchObject({ disposition: 'insufficient-message-security' });
      expect(handedOut).toBe(0);
    }
    expect(await refusal(open(signed, keys({ mustEncrypt: false })))).toBe('taken');
    expect(await refusal(open(encrypted, keys({ mustSign: false })))).toBe('taken');
    expect(await refusal(open(plain, keys(EASY)))).toBe('taken');
  });

  test('3DES of a partner whose policy does not name it', async () => {
    const message = await seal([payload('x')], { encrypt: { ...encrypt(), cipher: 'des-ede3-cbc' } });
    expect(await refusal(open(message, keys(EASY)))).toBe('insufficient-message-security');
  });
});

test('unsupported MIC-algorithms: SHA-1 of a partner whose policy does not name it', async () => {
  for (const detached of [true, false]) {
    const message = await seal([payload('x')], { sign: { by: sender, digest: 'sha1', detached } });
    expect(await refusal(open(message, keys(EASY)))).toBe('unsupported MIC-algorithms');
    expect(await refusal(open(message, keys({ ...EASY, digests: ['sha1'] })))).toBe('taken');
  }
});

test('unsupported format: a layer, a cipher, a transfer encoding or a signature that is not known', async () => {
  const cipher = sequence(oid('1.2.3.4'), octetString(Buffer.alloc(16)));
  const enveloped = sequence(
    oid(ENVELOPED_DATA),
    element(0xa0, sequence(integer(0), element(0x31), sequence(oid(DATA), cipher, element(0x80, Buffer.alloc(16))))),
  );
  for (const message of [
    cms(sequence(oid('1.2.3'), element(0xa0))),
    cms(enveloped),
    { headers: { 'content-type': 'text/plain', 'content-transfer-encoding': 'x-uuencode' }, body: Buffer.from('x') },
    { headers: { 'content-type': 'multipart/signed; protocol="application/pgp-signature"; boundary=b' }, body: Buffer.from('--b\r\n') },
  ])
    expect(await refusal(open(message, keys(EASY)))).toBe('unsupported format');
});

describe('unexpected-processing-error', () => {
  test('a message that ends too early, wherever', async () => {
    for (const options of [{ sign: sign() }, { encrypt: encrypt() }, { sign: { ...sign(), detached: false } }] as const) {
      const message = await seal([payload(Buffer.alloc(3000, 'x'))], options);
      for (let at = 0; at < message.body.length - 4; at += 97) {
        const refused = await refusal(open({ ...message, body: message.body.subarray(0, at) }, keys(EASY)));
        expect(['unexpected-processing-error', 'authentication-failed', 'decryption-failed']).toContain(refused);
      }
    }
  });

  test('a multipart without an end or a boundary, headers that are none', async () => {
    const as = (type: string, body: string) => refusal(open({ headers: { 'content-type': type }, body: Buffer.from(body) }, keys(EASY)));
    expect(await as('multipart/mixed; boundary=b', '--b\r\n\r\nhello')).toBe('unexpected-processing-error');
    expect(await as('multipart/mixed', '--b\r\n\r\nhello\r\n--b--')).toBe('unexpected-processing-error');
    expect(await as('multipart/mixed; boundary=b', '--b\r\nno header at all\r\n\r\nhello\r\n--b--')).toBe('unexpected-processing-error');
    expect(await as('multipart/mixed; boundary=b', '--b\r\n\r\nhello\r\n--b--')).toBe('taken');
  });

  test('what is beyond a bound', async () => {
    const within = (type: string, body: Buffer | string, bounds: Parameters<typeof open>[2]) =>
      refusal(open({ headers: { 'content-type': type }, body: Buffer.from(body) }, keys(EASY), bounds));
    const mixed = (inside: string) => `--b\r\n${inside}\r\n--b--`;
    expect(await within('multipart/mixed; boundary=b', mixed(`X: ${'y'.repeat(200)}\r\n\r\n`), { headerBytes: 100 })).toBe('unexpected-processing-error');
    expect(await within('multipart/mixed; boundary=b', mixed('\r\n\r\n--b\r\n'.repeat(30)), { parts: 20 })).toBe('unexpected-processing-error');
    expect(await within('application/octet-stream', Buffer.alloc(1001), { payloadBytes: 1000 })).toBe('unexpected-processing-error');
    let nested = 'Content-Type: text/plain\r\n\r\nx';
    for (let depth = 0; depth < 20; depth++) nested = `Content-Type: multipart/mixed; boundary=b${depth}x\r\n\r\n--b${depth}x\r\n${nested}\r\n--b${depth}x--`;
    expect(await within('multipart/mixed; boundary=b', mixed(nested), {})).toBe('unexpected-processing-error');
    let layers = Buffer.from('Content-Type: text/plain\r\n\r\nx');
    for (let depth = 0; depth < 20; depth++)
      layers = Buffer.concat([Buffer.from('Content-Type: application/pkcs7-mime\r\n\r\n'), compressed(deflateSync(layers))]);
    expect(await within('application/pkcs7-mime', compressed(deflateSync(layers)), {})).toBe('unexpected-processing-error');
    const many = await seal([payload('x')], { encrypt: { for: Array(40).fill(receiver.certificate), cipher: 'aes-128-cbc' } });
    expect(await refusal(open(many, keys(EASY)))).toBe('unexpected-processing-error');
    expect(await refusal(open(many, keys(EASY), { recipients: 40 }))).toBe('taken');
    expect(await refusal(open(many, keys(EASY), { recipients: 40, structureBytes: 1000 }))).toBe('unexpected-processing-error');
  });

  test('signed attributes within each other a thousand times, or long ones, before anything is made of them', async () => {
    let deep = octetString(Buffer.alloc(10_000));
    for (let depth = 0; depth < 1_000; depth++) deep = sequence(deep);
    const { signed } = await signerWith(deep);
    await expect(signed).rejects.toMatchObject({ disposition: 'unexpected-processing-error', message: expect.stringContaining('too deep') });
    const long = await signerWith(...Array.from({ length: 40_000 }, () => integer(1)));
    await expect(long.signed).rejects.toMatchObject({ message: expect.stringContaining('more signed attributes') });
  });

  test('what the sink or the connection throws is thrown on, as it is', async () => {
    const message = await seal([payload('x')], { sign: sign() });
    const full = new Error('the disk is full');
    await expect(
      openMessage(message.headers, of(message.body), keys(EASY), {}, async () => {
        throw full;
      }),
    ).rejects.toBe(full);
    const gone = new Error('gone');
    async function* cutOff() {
      yield message.body.subarray(0, 100);
      throw gone;
    }
    await expect(open({ headers: message.headers, body: cutOff() }, keys(EASY))).rejects.toBe(gone);
  });
});

test('a body whose message has failed is left as it is, so that a reply can be sent', async () => {
  const message = await seal([payload(Buffer.alloc(1_000_000))], {});
  let isReturned = false;
  let at = 0;
  const body: AsyncIterable<Buffer> = {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        at += 1000;
        return { done: false, value: message.body.subarray(at - 1000, at) };
      },
      return: async () => {
        isReturned = true;
        return { done: true, value: undefined };
      },
    }),
  };
  expect(await refusal(open({ headers: message.headers, body }, keys()))).toBe('insufficient-message-security');
  expect(isReturned).toBe(false);
});

test('dispositions are written as RFC 4130 has them', () => {
  expect(dispositionField()).toBe('automatic-action/MDN-sent-automatically; processed');
  expect(dispositionField('decryption-failed')).toBe('automatic-action/MDN-sent-automatically; processed/error: decryption-failed');
  expect(dispositionField('unsupported MIC-algorithms')).toBe('automatic-action/MDN-sent-automatically; failed/failure: unsupported MIC-algorithms');
  expect(dispositionField(undefined, 'duplicate-document')).toBe('automatic-action/MDN-sent-automatically; processed/warning: duplicate-document');
});
