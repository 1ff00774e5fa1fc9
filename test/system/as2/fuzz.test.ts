/**
 * Fuzz of S/MIME and MIME: good messages of every form, changed in their bytes, their structure, their headers and inside of their layers. Each is read to an end in time, is taken or
 * refused with a disposition, and leaves nothing behind.
 *
 * AS2_FUZZ_INPUTS  how many inputs, 20,000 by default; 100,000 is the long form
 * FUZZ_SEED        what was printed, to do the same again; new each time by default
 */
import { deflateSync } from 'node:zlib';
import { MessageFailure, type OpenKeys, openMessage, type SealOptions, writeReceipt } from '../../../server/as2/message';
import { algorithm, element, integer, octetString, oid, sequence } from '../../../server/as2/message/cms/der';
import { COMPRESSED_DATA, DATA, ZLIB } from '../../../server/as2/message/cms/oids';
import { cut, payload, seal, type Written } from '../../server/as2/message/partners';
import { heldBytes } from '../../support/garbage';
import { Random } from '../robustness/random';
import { type Keys, OpenSsl } from './openssl';

const INPUTS = Number(process.env['AS2_FUZZ_INPUTS'] ?? 20_000);
const SEED = Number(process.env['FUZZ_SEED'] ?? Math.floor(Math.random() * 2 ** 31));
/** A message of some kilobytes that takes longer hangs. Milliseconds. */
const LONGEST = 10_000;
/** What one may take of the processor, with all threads. Milliseconds. */
const MOST_CPU = 1_000;
/** What is left when all was read. Bytes. */
const MOST_LEFT = 16 * 1024 * 1024;
const BOUNDS = { payloadBytes: 1024 * 1024, structureBytes: 64 * 1024, receiptBytes: 64 * 1024 };

const openssl = new OpenSsl();
let us: Keys;
let them: Keys;
let keys: OpenKeys;
let good: Written[];

beforeAll(async () => {
  [us, them] = [openssl.keys('us', 'P-256'), openssl.keys('them', 'rsa:2048')];
  const curve = openssl.keys('curve', 'P-256');
  keys = {
    decryption: [them, curve],
    signers: [us.certificate],
    policy: { mustSign: false, mustEncrypt: false, ciphers: ['aes-128-cbc', 'aes-256-gcm', 'des-ede3-cbc'], digests: ['sha1', 'sha256', 'sha512'] },
  };
  const sign = { by: us, digest: 'sha256' } as const;
  const forms: Omit<SealOptions, 'messageId'>[] = [
    {},
    { payloadEncoding: 'base64' },
    { sign },
    { sign: { ...sign, detached: false } },
    { sign: { ...sign, detached: false }, lengths: 'indefinite', layerEncoding: 'base64' },
    { encrypt: { for: [curve.certificate], cipher: 'aes-256-gcm' } },
    { encrypt: { for: [them.certificate, curve.certificate], cipher: 'aes-128-cbc' }, lengths: 'indefinite' },
    { encrypt: { for: [them.certificate], cipher: 'des-ede3-cbc', transport: 'rsa-oaep' } },
    { compress: 'before-signing', sign, encrypt: { for: [curve.certificate], cipher: 'aes-256-gcm' } },
    { compress: 'after-signing', sign },
    { compress: 'before-signing' },
  ];
  good = [];
  for (const form of forms)
    for (const payloads of [() => [payload('UNB+UNOA:1\r\n'.repeat(40))], () => [payload('one\r\n'), payload(Buffer.alloc(300, 1)), payload('')]]) {
      const { headers, body } = await seal(payloads(), form);
      good.push({ headers, body });
    }
  for (const signed of [undefined, sign]) {
    const { headers, body } = await writeReceipt({ messageId: '<r>', originalMessageId: '<m>', finalRecipient: 'us', text: 'ok', sign: signed });
    good.push({ headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value])), body });
  }
  for (const args of [
    ['-sign', '-signer', us.certificateFile, '-inkey', us.keyFile, '-nodetach', '-stream'],
    ['-encrypt', '-aes-256-gcm', '-stream', '-recip', curve.certificateFile],
  ])
    good.push({
      headers: { 'content-type': 'application/pkcs7-mime' },
      body: openssl.cms([...args, '-binary', '-outform', 'DER'], Buffer.from('Content-Type: text/plain\r\n\r\nhello')),
    });
});
afterAll(() => openssl.remove());

/** What bytes of structure are changed to. */
const HURTFUL = [0, 1, 0x30, 0x31, 0x04, 0x24, 0x80, 0xa0, 0x7f, 0x81, 0x84, 0x88, 0xff, 10, 13, 45];

function mutated(random: Random, bytes: Buffer): Buffer {
  let out = Buffer.from(bytes);
  for (let times = 1 + random.below(4); times > 0 && out.length > 0; times--) {
    const at = random.below(2) === 0 ? random.below(Math.min(out.length, 200)) : random.below(out.length);
    switch (random.below(8)) {
      case 0:
        out[at] = random.below(256);
        break;
      case 1:
        out[at] = HURTFUL[random.below(HURTFUL.length)]!;
        break;
      case 2:
        out = out.subarray(0, at);
        break;
      case 3:
        out = Buffer.concat([out.subarray(0, at), out.subarray(Math.min(out.length, at + 1 + random.below(40)))]);
        break;
      case 4: {
        const piece = out.subarray(at, at + 1 + random.below(200));
        out = Buffer.concat([out.subarray(0, at), ...Array(1 + random.below(20)).fill(piece), out.subarray(at)]);
        break;
      }
      case 5: {
        const other = random.pick(good).body;
        const from = random.below(other.length);
        out = Buffer.concat([out.subarray(0, at), other.subarray(from, from + 1 + random.below(300)), out.subarray(at)]);
        break;
      }
      case 6:
        out = Buffer.concat([out.subarray(0, at), Buffer.alloc(1 + random.below(3000), HURTFUL[random.below(HURTFUL.length)]!), out.subarray(at)]);
        break;
      default:
        out[at]! ^= 1 << random.below(8);
    }
  }
  return out;
}

/** A changed message: its body, its headers, or what is inside of a layer that itself is whole. */
async function input(random: Random): Promise<Written> {
  const { headers, body } = random.pick(good);
  switch (random.below(6)) {
    case 0: {
      const name = random.pick(['content-type', 'content-transfer-encoding']);
      return { headers: { ...headers, [name]: mutated(random, Buffer.from(headers[name] ?? 'base64')).toString('latin1') }, body };
    }
    case 1:
      return { headers: random.pick(good).headers, body };
    case 2: {
      const inside = Buffer.concat([Buffer.from(`Content-Type: ${headers['content-type']}\r\n\r\n`), mutated(random, body)]);
      const data = sequence(integer(0), algorithm(ZLIB), sequence(oid(DATA), element(0xa0, octetString(deflateSync(mutated(random, inside))))));
      return { headers: { 'content-type': 'application/pkcs7-mime' }, body: sequence(oid(COMPRESSED_DATA), element(0xa0, data)) };
    }
    default:
      return { headers, body: mutated(random, body) };
  }
}

test(`${INPUTS} changed messages are read to an end`, async () => {
  console.log(`FUZZ_SEED=${SEED}`);
  const random = new Random(SEED);
  const counts = new Map<string, number>();
  const unhandled: unknown[] = [];
  const note = (error: unknown) => unhandled.push(error);
  process.on('unhandledRejection', note);
  let before = 0;
  let slowest = { ms: 0, index: 0 };
  for (let index = 0; index < INPUTS; index++) {
    // What the first ones fill stays: compiled code, caches.
    if (index === Math.min(2000, INPUTS / 2)) before = heldBytes();
    const { headers, body } = await input(random);
    const started = process.cpuUsage();
    let timer: NodeJS.Timeout | undefined;
    const hang = new Promise<string>((resolve) => {
      timer = setTimeout(resolve, LONGEST, 'hang');
    });
    const lengths = random.below(3) === 0 ? [1 + random.below(50)] : [1 + random.below(5000)];
    const reading = openMessage(headers, cut(body, ...lengths), keys, BOUNDS, async ({ body }) => {
      for await (const _ of body);
    }).then(
      ({ payloads, receipt }) => (receipt || payloads >= 0 ? 'taken' : ''),
      (error: unknown) => (error instanceof MessageFailure ? error.disposition : `crash: ${(error as Error)?.stack ?? error}`),
    );
    const outcome = await Promise.race([reading, hang]);
    clearTimeout(timer);
    // Of the processor: on a busy machine a message takes what others leave it.
    const { user, system } = process.cpuUsage(started);
    if ((user + system) / 1000 > slowest.ms) slowest = { ms: (user + system) / 1000, index };
    if (outcome === 'hang' || outcome.startsWith('crash')) throw new Error(`input ${index} of FUZZ_SEED=${SEED}: ${outcome}`);
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
  }
  const left = heldBytes() - before;
  process.off('unhandledRejection', note);
  console.log(
    `${INPUTS} inputs, ${JSON.stringify(Object.fromEntries(counts))}; the slowest, ${slowest.index}, took ${Math.round(slowest.ms)} ms of the processor, ${Math.round(left / 1024)} KiB are left`,
  );
  expect(unhandled).toEqual([]);
  expect(slowest.ms).toBeLessThan(MOST_CPU);
  expect(left).toBeLessThan(MOST_LEFT);
  // Each way to be refused has been met, or the inputs are not what they were.
  for (const outcome of [
    'taken',
    'decryption-failed',
    'authentication-failed',
    'integrity-check-failed',
    'decompression-failed',
    'unsupported format',
    'unexpected-processing-error',
  ])
    expect(counts.get(outcome) ?? 0).toBeGreaterThan(0);
}, 1_200_000);
