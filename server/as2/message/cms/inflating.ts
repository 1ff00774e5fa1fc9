/** Inflates compressed-data (RFC 3274) as it comes, within bounds. */
import { once } from 'node:events';
import { createInflate } from 'node:zlib';
import { MessageFailure } from '../failure';

const PIECE = 64 * 1024;
/** Inflates to this without a question of how little it came as. Bytes. */
const FREE = 1024 * 1024;

export interface InflationBounds {
  /** How many times as long as it came it may get. */
  readonly ratio: number;
  /** Bytes of the whole message that have come: of layers within each other each may get that much longer, and no more. */
  readonly came: () => number;
  /** Bytes at all. */
  readonly most: number;
}

/** @param abandoned the message is given up, and nobody reads on */
export async function* inflated(
  source: AsyncIterable<Buffer>,
  { ratio, came, most }: InflationBounds,
  abandoned: AbortSignal,
): AsyncGenerator<Buffer, void, undefined> {
  const inflate = createInflate({ chunkSize: PIECE });
  const over = new AbortController();
  let read = 0;
  let written = 0;
  let isWhole = false;
  let failure: unknown;
  inflate
    // Read by the loop below; one that comes when that is over is nobody's.
    .on('error', () => {})
    .once('close', () => over.abort())
    .once('end', () => {
      isWhole = true;
      over.abort();
    });
  abandoned.addEventListener('abort', () => inflate.destroy(), { once: true });
  const feeding = (async () => {
    for await (const chunk of source) {
      read += chunk.length;
      if (isWhole) throw behind();
      if (!inflate.write(chunk)) await once(inflate, 'drain', { signal: over.signal }).catch(() => {});
      if (inflate.destroyed && !isWhole) return;
    }
    inflate.end();
  })().catch((error: unknown) => {
    failure = error;
    inflate.destroy();
  });
  try {
    for await (const piece of inflate as AsyncIterable<Buffer>) {
      written += piece.length;
      if (written > most || written > FREE + ratio * Math.min(read, came()))
        throw new MessageFailure('decompression-failed', 'what was compressed inflates beyond the bounds');
      yield piece;
    }
  } catch (error) {
    if (failure !== undefined) throw failure;
    if (error instanceof MessageFailure) throw error;
    throw new MessageFailure('decompression-failed', 'what was compressed does not inflate', { cause: error });
  } finally {
    inflate.destroy();
  }
  await feeding;
  if (failure !== undefined) throw failure;
  if (inflate.bytesWritten !== read) throw behind();
}

function behind(): MessageFailure {
  return new MessageFailure('decompression-failed', 'there is something behind what was compressed');
}
