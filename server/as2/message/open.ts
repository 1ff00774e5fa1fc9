/** Reads a message of AS2 as it comes, layer by layer. */
import { createHash } from 'node:crypto';
import { digestNamed, micName } from './algorithms';
import { DEFAULT_BOUNDS } from './bounds';
import { MessageFailure } from './failure';
import { fileName, header, readParameterized } from './mime/header';
import type { Bounds, Headers, Opened, OpenKeys, Sink } from './types';

/**
 * Reads one message: `headers` are those of the request (Content-Type and Content-Transfer-Encoding count), `body` its content, undone of HTTP's codings.
 * Each payload goes to `sink` while it comes; **what the sink was given is final only when this resolves**, since a signature stands behind what it signs.
 * Rejects with a MessageFailure, or with what `sink` or `body` threw. After a failure `body` is neither read further nor returned: the caller decides whether
 * to read the rest of a request. Memory: some hundred KiB, whatever the message has.
 */
export async function openMessage(headers: Headers, body: AsyncIterable<Buffer>, keys: OpenKeys, bounds: Partial<Bounds>, sink: Sink): Promise<Opened> {
  const limits = { ...DEFAULT_BOUNDS, ...bounds };
  const contentType = header(headers, 'content-type') ?? 'application/octet-stream';
  const { value } = readParameterized(contentType);
  if (/^multipart\/|pkcs7/.test(value)) throw new MessageFailure('unsupported format', `${value} is not read yet`);
  if (keys.policy?.mustSign !== false) throw new MessageFailure('insufficient-message-security', 'the partner has to sign, and did not');
  if (keys.policy?.mustEncrypt !== false) throw new MessageFailure('insufficient-message-security', 'the partner has to encrypt, and did not');
  const name = keys.micAlgorithms?.find((spelled) => digestNamed(spelled)) ?? micName('sha256');
  const algorithm = digestNamed(name) ?? 'sha256';
  const hash = createHash(algorithm);
  let bytes = 0;
  async function* content() {
    for await (const chunk of body) {
      bytes += chunk.length;
      if (bytes > limits.payloadBytes) throw new MessageFailure('unexpected-processing-error', `the message has more than ${limits.payloadBytes} bytes`);
      hash.update(chunk);
      yield chunk;
    }
  }
  await sink({ index: 0, name: fileName(headers), contentType, headers, body: content() });
  return {
    layers: [],
    signed: false,
    encrypted: false,
    compressed: false,
    signer: undefined,
    mic: { algorithm, name, value: hash.digest('base64') },
    contentType,
    payloads: 1,
    receipt: undefined,
  };
}
