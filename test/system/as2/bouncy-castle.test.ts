/** CMS both ways with Bouncy Castle, which most AS2 servers of Java are built upon: its streams are of indefinite length, in pieces of a thousand bytes. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cipher, SealOptions } from '../../../server/as2/message';
import { cut, open, payload, seal } from '../../server/as2/message/partners';
import { entity, type Keys, OpenSsl } from './openssl';

const VERSION = '1.87';
const openssl = new OpenSsl();
const CONTENT = Buffer.from(`UNB+\xfc\0\r\n${'line of an order\r\n'.repeat(5000)}`, 'latin1');
const PART = Buffer.concat([Buffer.from('Content-Type: application/edifact\r\nContent-Transfer-Encoding: binary\r\n\r\n'), CONTENT]);
const MIC = createHash('sha256').update(PART).digest('base64');

let rsa: Keys;
let curve: Keys;
const jobs: { name: string; what: string; with: Keys; input: Buffer }[] = [];
const job = (what: string, keys: Keys, input: Buffer): string => {
  const name = `job-${jobs.length}`;
  jobs.push({ name, what, with: keys, input });
  return name;
};
const result = (name: string): Buffer => {
  const out = readFileSync(join(openssl.folder, `${name}.out`));
  if (out.subarray(0, 6).toString() === 'FAILED') throw new Error(String(out));
  return out;
};

const MADE = [
  'compress',
  'compress:stream',
  'encrypt:cbc',
  'encrypt:3des',
  'encrypt:gcm',
  'encrypt:cbc:oaep',
  'encrypt:gcm:oaep',
  'encrypt:gcm:attributes',
  'sign',
  'sign:pss',
  'sign:detached',
] as const;
const made = new Map<string, string>();
const READ: readonly (readonly [string, string, Omit<SealOptions, 'messageId'>])[] = [
  ['compressed', 'inflate', { compress: 'before-signing' }],
  ...(['aes-128-cbc', 'aes-256-cbc', 'aes-256-gcm', 'des-ede3-cbc'] as const).flatMap((cipher) =>
    (['auto', 'indefinite'] as const).map((lengths) => [`${cipher}, ${lengths}`, 'decrypt', { encrypt: { for: [], cipher }, lengths }] as const),
  ),
  ...(['auto', 'indefinite'] as const).map(
    (lengths) => [`signed, ${lengths}`, 'verify', { sign: { by: undefined as never, digest: 'sha256', detached: false }, lengths }] as const,
  ),
];
const read = new Map<string, { name: string; mic: string }>();

beforeAll(async () => {
  [rsa, curve] = [openssl.keys('rsa', 'rsa:2048'), openssl.keys('curve', 'P-256')];
  for (const [kind, keys] of [
    ['rsa', rsa],
    ['curve', curve],
  ] as const) {
    for (const what of MADE) made.set(`${kind} ${what}`, job(what, keys, PART));
    for (const [name, what, options] of READ) {
      const message = await seal([payload(CONTENT, { name: undefined, contentType: 'application/edifact' })], {
        ...options,
        ...(options.sign && { sign: { ...options.sign, by: keys } }),
        ...(options.encrypt && { encrypt: { ...options.encrypt, for: [keys.certificate] } }),
      });
      read.set(`${kind} ${name}`, { name: job(what, keys, message.body), mic: message.mics[0]!.value });
    }
  }
  for (const { name, input } of jobs) writeFileSync(join(openssl.folder, `${name}.in`), input);
  writeFileSync(
    join(openssl.folder, 'jobs.txt'),
    jobs.map(({ name, what, with: keys }) => `${name} ${what} ${keys.certificateFile} ${keys.keyFile}\n`).join(''),
  );
  const jars = ['bcprov', 'bcutil', 'bcpkix'].map((name) => join(process.env['CDK_FTPS_CACHE']!, `${name}-jdk18on-${VERSION}.jar`));
  execFileSync('java', ['-cp', jars.join(':'), join(__dirname, 'BouncyCastle.java'), openssl.folder], { stdio: 'inherit' });
}, 200_000);
afterAll(() => openssl.remove());

describe.each(['rsa', 'curve'] as const)('keys of %s', (kind) => {
  const keys = () => (kind === 'rsa' ? rsa : curve);
  const policy = { mustSign: false, mustEncrypt: false, ciphers: ['aes-128-cbc', 'aes-256-gcm', 'des-ede3-cbc'] as readonly Cipher[] };

  test.each(MADE)('%s is read', async (what) => {
    const bytes = result(made.get(`${kind} ${what}`)!);
    const signature = Buffer.concat([
      Buffer.from('--b\r\n'),
      PART,
      Buffer.from('\r\n--b\r\nContent-Type: application/pkcs7-signature\r\nContent-Transfer-Encoding: binary\r\n\r\n'),
      bytes,
      Buffer.from('\r\n--b--\r\n'),
    ]);
    const message =
      what === 'sign:detached'
        ? { headers: { 'content-type': 'multipart/signed; boundary=b' }, body: signature }
        : { headers: { 'content-type': 'application/pkcs7-mime' }, body: bytes };
    for (const body of [message.body, cut(message.body, 1, 999, 64)]) {
      const opened = await open({ ...message, body }, { decryption: [keys()], signers: [keys().certificate], policy });
      expect(CONTENT.equals(opened.files[0]!.content)).toBe(true);
      if (opened.mic.algorithm === 'sha256') expect(opened.mic.value).toBe(MIC);
    }
  });

  test.each(READ.map(([name]) => name))('%s is read by it', (name) => {
    const { name: of, mic } = read.get(`${kind} ${name}`)!;
    const part = result(of);
    expect(entity(part).body.equals(CONTENT)).toBe(true);
    expect(createHash('sha256').update(part).digest('base64')).toBe(mic);
  });
});
