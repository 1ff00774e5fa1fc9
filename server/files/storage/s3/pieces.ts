/** An object in pieces, in order, with some of them fetched ahead. Each piece is a request of its own, so that one that fails is asked for again. */
import type { Bucket } from './bucket';
import { storageError } from './errors';
import type { Memory } from './memory';

export interface PieceSource {
  readonly bucket: Bucket;
  readonly key: string;
  /** The very object to read: one that takes its place meanwhile is not mixed in. */
  readonly etag: string;
  /** Where to begin. */
  readonly first: number;
  /** Where to end: bytes from the beginning of the object. */
  readonly size: number;
  readonly memory: Memory;
}

/** The first piece is small, so that its bytes leave soon. */
const FIRST_PIECE = 1024 * 1024;

/** A piece may be used until the next one is asked for. */
export async function* readPieces({ bucket, key, etag, first, size, memory }: PieceSource): AsyncGenerator<Buffer> {
  const leave = memory.enter();
  const ahead: { readonly buffer: Buffer; readonly length: number; readonly filled: Promise<void> }[] = [];
  let next = first;
  const fetchAhead = () => {
    while (next < size && ahead.length <= memory.ahead()) {
      const length = Math.min(next === first ? FIRST_PIECE : memory.piece, memory.piece, size - next);
      const buffer = memory.borrow(memory.piece);
      const filled = bucket.read(key, etag, { first: next, last: next + length - 1 }, buffer);
      filled.catch(() => {}); // awaited when its turn comes
      ahead.push({ buffer, length, filled });
      next += length;
    }
  };
  try {
    fetchAhead();
    for (let piece = ahead.shift(); piece; piece = ahead.shift()) {
      await piece.filled.catch(storageError);
      yield piece.buffer.subarray(0, piece.length);
      memory.giveBack(piece.buffer);
      fetchAhead();
    }
  } finally {
    leave();
    for (const { buffer, filled } of ahead) void filled.then(() => memory.giveBack(buffer)).catch(() => {}); // may still be written to
  }
}
