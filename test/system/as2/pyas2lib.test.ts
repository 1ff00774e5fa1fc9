/** Messages and receipts both ways with pyas2lib. */
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { compareMic, type SealOptions, sealMessage, writeReceipt } from '../../../server/as2/message';
import { open, payload, type Written, wire } from '../../server/as2/message/partners';
import { entity, type Keys, OpenSsl } from './openssl';

const openssl = new OpenSsl();
let us: Keys;
let them: Keys;
let python: ChildProcessWithoutNullStreams;
let lines: Interface;
beforeAll(() => {
  [us, them] = [openssl.keys('us', 'rsa:2048'), openssl.keys('them', 'rsa:2048')];
  python = spawn(join(process.env['CDK_FTPS_VENV']!, 'bin/python'), [join(__dirname, 'pyas2_partner.py')]);
  python.stderr.pipe(process.stderr);
  lines = createInterface(python.stdout);
});
afterAll(() => {
  python.kill();
  openssl.remove();
});

async function ask<T>(request: object): Promise<T> {
  const answer = new Promise<string>((resolve) => lines.once('line', resolve));
  python.stdin.write(`${JSON.stringify(request)}\n`);
  return JSON.parse(await answer);
}

/** What pyas2lib knows of itself and of us. */
async function meet(us_: object): Promise<void> {
  const pem = (keys: Keys) => `${readFileSync(keys.keyFile)}${readFileSync(keys.certificateFile)}`;
  const certificate = String(readFileSync(us.certificateFile));
  await ask({
    do: 'meet',
    us: { as2_name: 'them', sign_key: pem(them), sign_key_pass: null, decrypt_key: pem(them), decrypt_key_pass: null, domain: 'them.example' },
    them: { as2_name: 'us', verify_cert: certificate, encrypt_cert: certificate, validate_certs: false, mdn_mode: 'SYNC', mdn_digest_alg: 'sha256', ...us_ },
  });
}

const TEXT = Buffer.from("UNA:+.? '\r\nUNB+UNOC:3+them+us'\r\n".repeat(2000));
const keys = () => ({
  decryption: [us],
  signers: [them.certificate],
  policy: { mustSign: false, mustEncrypt: false, ciphers: ['aes-128-cbc', 'aes-192-cbc', 'aes-256-cbc', 'des-ede3-cbc'] as const },
});
const base64 = (message: Written, more = '') =>
  Buffer.concat([
    Buffer.from(
      `${more}${Object.entries(message.headers)
        .map(([name, value]) => `${name}: ${value}\r\n`)
        .join('')}\r\n`,
    ),
    message.body,
  ]).toString('base64');

describe.each([
  ['plain', {}],
  ['signed', { sign: true, digest_alg: 'sha256' }],
  ['encrypted', { encrypt: true, enc_alg: 'aes_256_cbc' }],
  ['signed and encrypted', { sign: true, digest_alg: 'sha512', encrypt: true, enc_alg: 'aes_128_cbc' }],
  ['encrypted with 3DES', { encrypt: true, enc_alg: 'tripledes_192_cbc' }],
  ['compressed', { compress: true }],
  ['compressed, signed and encrypted', { compress: true, sign: true, digest_alg: 'sha384', encrypt: true, enc_alg: 'aes_192_cbc' }],
  // It leaves the parameters of PSS out, which means SHA-1 (RFC 4055 section 3.1), and is refused: OAEP alone.
  ['signed, for OAEP', { sign: true, digest_alg: 'sha256', encrypt: true, enc_alg: 'aes_256_cbc', key_enc_alg: 'rsaes_oaep' }],
] as const)('%s by pyas2lib', (_, partner) => {
  test.each([
    ['text', TEXT, 'application/edifact'],
    ['binary', randomBytes(70_000), 'application/octet-stream'],
  ])('%s is read, and our receipt convinces it', async (_kind, content, type) => {
    await meet(partner);
    const built = await ask<{ message: string; id: string; mic: string | null }>({ do: 'build', content: content.toString('base64'), name: 'order.edi', type });
    const message = entity(Buffer.from(built.message, 'base64'));
    const opened = await open(message, { ...keys(), policy: { ...keys().policy, mustSign: 'sign' in partner, mustEncrypt: 'encrypt' in partner } });
    expect(opened.files.map(({ name, contentType }) => [name, contentType])).toEqual([['order.edi', type]]);
    expect(content.equals(opened.files[0]!.content)).toBe(true);
    expect([opened.signed, opened.encrypted, opened.compressed]).toEqual(['sign' in partner, 'encrypt' in partner, 'compress' in partner]);
    if (built.mic) expect(opened.mic.value).toBe(built.mic);

    const receipt = {
      messageId: '<r@us>',
      originalMessageId: `<${built.id}>`,
      finalRecipient: 'us',
      text: 'Taken',
      mic: opened.mic,
      sign: { by: us, digest: 'sha256' },
    } as const;
    const about = async (options: Parameters<typeof writeReceipt>[0]) =>
      ask({ do: 'receipt', message: base64((await writeReceipt(options)) as Written, 'Message-ID: <r@us>\r\n') });
    expect(await about(receipt)).toEqual({ status: 'processed', detail: null });
    expect(await about({ ...receipt, failure: 'decryption-failed' })).toEqual({ status: 'processed/error', detail: 'decryption-failed' });
    if (built.mic) expect(await about({ ...receipt, mic: { ...opened.mic, value: 'AAAA' } })).toMatchObject({ detail: 'Message Integrity check failed.' });
  });
});

describe('pyas2lib reads', () => {
  const cases: readonly (readonly [string, Omit<SealOptions, 'messageId'>])[] = [
    ['plain', {}],
    ['signed', { sign: { by: undefined as never, digest: 'sha256', micName: 'sha256' } }],
    ['encrypted', { encrypt: { for: [], cipher: 'aes-256-cbc' } }],
    [
      'signed and encrypted, compressed before',
      { compress: 'before-signing', sign: { by: undefined as never, digest: 'sha512' }, encrypt: { for: [], cipher: 'aes-128-cbc' } },
    ],
    [
      'signed and encrypted, compressed after',
      { compress: 'after-signing', sign: { by: undefined as never, digest: 'sha256' }, encrypt: { for: [], cipher: 'aes-256-cbc' } },
    ],
  ];
  test.each(cases)('%s, and its receipt is read', async (_, options) => {
    await meet({ sign: options.sign !== undefined, encrypt: options.encrypt !== undefined });
    for (const [content, contentType] of [
      [TEXT, 'application/edifact'],
      [randomBytes(70_000), 'application/octet-stream'],
    ] as const)
      for (const lengths of ['auto', 'indefinite'] as const) {
        const sealed = sealMessage([payload(content, { contentType })], {
          ...options,
          messageId: '<1@us.example>',
          lengths,
          ...(options.sign && { sign: { ...options.sign, by: us } }),
          ...(options.encrypt && { encrypt: { ...options.encrypt, for: [them.certificate] } }),
        });
        const written = await wire(sealed);
        const as2 =
          'Message-ID: <1@us.example>\r\nAS2-From: us\r\nAS2-To: them\r\nDisposition-Notification-To: x\r\nDisposition-Notification-Options: signed-receipt-protocol=required, pkcs7-signature; signed-receipt-micalg=required, sha256\r\n';
        const answer = await ask<{ status: string; problem: string | null; mic: string; files: [string, string, string][]; mdn: string }>({
          do: 'parse',
          message: base64(written, as2),
        });
        expect([answer.status, answer.problem]).toEqual(['processed', null]);
        expect(answer.files.map(([name, type]) => [name, type])).toEqual([['invoice.edi', contentType]]);
        expect(content.equals(Buffer.from(answer.files[0]![2], 'base64'))).toBe(true);

        const { receipt, signer } = await open(entity(Buffer.from(answer.mdn, 'base64')), keys());
        expect(signer).toBe(them.certificate);
        expect(receipt).toMatchObject({ processed: true, originalMessageId: '<1@us.example>' });
        if (options.sign) expect(compareMic(receipt!, await sealed.mics)).toBe('same');
      }
  });
});
