/** However a message is cut on its way, it says the same; and work grows with its length alone. */
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import type { KeyPair } from '../../../../server/as2/message';
import { fileName, readHeaders, readParameterized, writeParameter } from '../../../../server/as2/message/mime/header';
import { decoded, toBase64 } from '../../../../server/as2/message/mime/transfer';
import { anyText } from '../../support/any-text';
import { growsTooFast } from '../../support/growth';
import { collect, cut, of, open, pair, payload, seal, type Written } from './partners';

let sender: KeyPair;
let receiver: KeyPair;
let messages: Written[];
beforeAll(async () => {
  [sender, receiver] = (await Promise.all([pair(false), pair(false)])) as [KeyPair, KeyPair];
  const sign = { by: sender, digest: 'sha256' } as const;
  const encrypt = { for: [receiver.certificate], cipher: 'aes-128-gcm' } as const;
  // Line ends, dashes and boundaries where cuts hurt.
  const payloads = () => [payload('one\r\n--payloads_\r\n--\r\n\r\n'), payload('--\r\n'.repeat(50)), payload('\r')];
  messages = await Promise.all([
    seal(payloads(), {}),
    seal(payloads(), { sign, payloadEncoding: 'base64' }),
    seal(payloads(), { sign: { ...sign, detached: false }, encrypt, lengths: 'indefinite' }),
    seal(payloads(), { sign, encrypt, compress: 'before-signing', layerEncoding: 'base64' }),
    seal(payloads(), { encrypt: { ...encrypt, cipher: 'aes-256-cbc' }, compress: 'after-signing' }),
  ]);
});
const keys = () => ({ decryption: [receiver], signers: [sender.certificate], policy: { mustSign: false, mustEncrypt: false } });

test('any cutting gives the same', async () => {
  const whole = await Promise.all(messages.map((message) => open(message, keys())));
  await fc.assert(
    fc.asyncProperty(fc.nat(messages.length - 1), fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 6 }), async (index, lengths) => {
      const { headers, body } = messages[index]!;
      expect(await open({ headers, body: cut(body, ...lengths) }, keys())).toEqual(whole[index]);
    }),
    { numRuns: 60 },
  );
  for (const [index, { headers, body }] of messages.entries()) expect(await open({ headers, body: cut(body, 1) }, keys())).toEqual(whole[index]);
});

test('base64 and quoted-printable come out however they are cut', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 500 }), fc.integer({ min: 1, max: 90 }), async (bytes, length) => {
      const content = Buffer.from(bytes);
      const base64 = await collect(toBase64(cut(content, length)));
      expect(await collect(decoded({ 'content-transfer-encoding': 'BASE64' }, cut(base64, length)))).toEqual(content);
      const quoted = Buffer.from(
        [...content]
          .map((byte) => `=${byte.toString(16).padStart(2, '0').toUpperCase()}`)
          .join('')
          .replace(/(.{72})/g, '$1=\r\n'),
      );
      expect(await collect(decoded({ 'content-transfer-encoding': 'quoted-printable' }, cut(quoted, length)))).toEqual(content);
    }),
    { numRuns: 60 },
  );
});

test('a file name is plain whatever the sender wrote', () => {
  fc.assert(
    fc.property(anyText({ maxLength: 40 }), (name) => {
      const found = fileName({ 'content-disposition': `attachment; ${writeParameter('filename', name)}` });
      if (found !== undefined) expect(found).not.toMatch(/[/\\\0-\x1f]|^\.{0,2}$/);
      if (/^[\w äöü€"';-]+$/.test(name) && name.trim() !== '') expect(found).toBe(name.trim());
    }),
  );
  expect(fileName({ 'content-disposition': 'attachment; filename="C:\\data\\order.edi"' })).toBe('order.edi');
  expect(fileName({ 'content-disposition': "attachment; filename*0*=UTF-8''a%20; filename*1=b.edi" })).toBe('a b.edi');
  expect(fileName({ 'content-disposition': 'attachment; filename="=?utf-8?B?w6QuZWRp?="' })).toBe('ä.edi');
  expect(fileName({ 'content-type': 'application/edifact; name=order.edi' })).toBe('order.edi');
  expect(fileName({ 'content-disposition': 'attachment; filename=".."' })).toBeUndefined();
});

test.each([
  ['headers', (length: number) => () => readHeaders(Buffer.from('a: b\r\n c\r\n'.repeat(length)))],
  ['folded lines', (length: number) => () => readHeaders(Buffer.from(`a: b\r\n${' c\r\n'.repeat(length)}`))],
  ['parameters', (length: number) => () => readParameterized(`a/b${'; x=y'.repeat(length)}`)],
  ['semicolons', (length: number) => () => readParameterized(`a/b${';'.repeat(length)}`)],
  ['semicolons before a name', (length: number) => () => readParameterized(`a/b${';'.repeat(8 * length)}=`)],
  ['quotes', (length: number) => () => readParameterized(`a/b; x="${'\\"'.repeat(length)}`)],
  ['encoded words', (length: number) => () => fileName({ 'content-disposition': `a; filename="${'=?utf-8?q?'.repeat(length)}"` })],
])('%s cost in proportion to their length', (_, work) => {
  expect(growsTooFast({ from: 2000, work })).toBeUndefined();
});

test.each([
  ['boundaries that are none', Buffer.from('\r\n--bx'), 3_000],
  ['boundaries with spaces behind them', Buffer.from(`\r\n--b${' '.repeat(100)}x`), 500],
  ['dashes', Buffer.from('\r\n--b-'), 3_000],
  ['line ends', Buffer.from('\r'), 3_000],
])('%s in a multipart cost in proportion to their length', async (_, piece, few) => {
  const seconds = async (count: number, ...lengths: number[]) => {
    const body = Buffer.concat([Buffer.from('--b\r\n\r\n'), Buffer.alloc(count * piece.length, piece), Buffer.from('\r\n--b--\r\n')]);
    const started = performance.now();
    const { files } = await open({ headers: { 'content-type': 'multipart/mixed; boundary=b' }, body: cut(body, ...lengths) }, keys());
    expect(files[0]!.content.length).toBe(count * piece.length);
    return performance.now() - started;
  };
  for (const lengths of [[1 << 20], [100]]) {
    await seconds(few, ...lengths);
    const short = Math.min(await seconds(few, ...lengths), await seconds(few, ...lengths));
    const long = Math.min(await seconds(16 * few, ...lengths), await seconds(16 * few, ...lengths));
    expect(long / short).toBeLessThan(64);
  }
});

test('strings in a million pieces cost in proportion to their number', async () => {
  const { headers, body } = await seal(
    [payload(Buffer.alloc(4000), { size: undefined, body: of(...Array.from({ length: 40_000 }, () => Buffer.from('x'))) })],
    {
      encrypt: { for: [receiver.certificate], cipher: 'aes-128-gcm' },
    },
  );
  const started = performance.now();
  const { files } = await open({ headers, body }, keys());
  expect(files[0]!.content.length).toBe(40_000);
  expect(performance.now() - started).toBeLessThan(5000);
  expect(createHash('sha256').update(files[0]!.content).digest('hex')).toBe(createHash('sha256').update('x'.repeat(40_000)).digest('hex'));
});
