/** A gibibyte (AS2_LARGE_MIB) in a message: written, cut up and read in bounded memory, while the event loop has its turns. */
import { createHash } from 'node:crypto';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { openMessage, type SealOptions, sealMessage } from '../../../server/as2/message';
import { heldBytes } from '../../support/garbage';
import { type Keys, OpenSsl } from './openssl';

const MIB = 1024 * 1024;
const SIZE = Number(process.env['AS2_LARGE_MIB'] ?? 1024) * MIB;
/** What is held at any time, beyond what was held before. Bytes. */
const MOST_HELD = 64 * MIB;

const openssl = new OpenSsl();
let us: Keys;
let them: Keys;
beforeAll(() => {
  [us, them] = [openssl.keys('us', 'rsa:2048'), openssl.keys('them', 'rsa:2048')];
});
afterAll(() => openssl.remove());

test.each<[string, Omit<SealOptions, 'messageId'>]>([
  ['signed and encrypted', { sign: { by: undefined as never, digest: 'sha256' }, encrypt: { for: [], cipher: 'aes-256-gcm' } }],
  [
    'compressed, signed around and encrypted, of indefinite length',
    { compress: 'before-signing', sign: { by: undefined as never, digest: 'sha256', detached: false }, encrypt: { for: [], cipher: 'aes-128-cbc' } },
  ],
])('%s', async (_, options) => {
  const piece = Buffer.alloc(64 * 1024);
  for (let at = 0; at < piece.length; at++) piece[at] = (at * 7919) >> 5;
  const before = heldBytes();
  let most = 0;
  async function* content() {
    for (let at = 0; at < SIZE; at += piece.length) {
      if (at % (64 * MIB) === 0) most = Math.max(most, heldBytes() - before);
      yield piece;
    }
  }
  const sealed = sealMessage([{ name: 'large.bin', contentType: 'application/octet-stream', size: SIZE, body: content() }], {
    ...options,
    messageId: '<large@us>',
    sign: { ...options.sign!, by: us },
    encrypt: { ...options.encrypt!, for: [them.certificate] },
  });
  const headers = Object.fromEntries(Object.entries(sealed.headers).map(([name, value]) => [name.toLowerCase(), value]));
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  const started = performance.now();
  const hash = createHash('sha256');
  let bytes = 0;
  const opened = await openMessage(headers, sealed.body, { decryption: [them], signers: [us.certificate] }, { inflation: 1000 }, async ({ body }) => {
    for await (const chunk of body) {
      bytes += chunk.length;
      hash.update(chunk);
    }
  });
  delay.disable();
  const seconds = (performance.now() - started) / 1000;
  console.log(`${SIZE / MIB} MiB in ${seconds.toFixed(1)} s, ${(most / MIB).toFixed(1)} MiB held, turns of ${(delay.percentile(95) / 1e6).toFixed(0)} ms`);
  expect(bytes).toBe(SIZE);
  expect(opened.mic).toEqual((await sealed.mics)[0]);
  expect(most).toBeLessThan(MOST_HELD);
  // Collecting garbage by force is most of the longest.
  expect(delay.percentile(95) / 1e6).toBeLessThan(100);
});
