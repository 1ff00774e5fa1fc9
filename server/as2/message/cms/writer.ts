/** Writes BER whose content streams: of definite length where all sizes are known, else of indefinite length (X.690 section 8.1.3). */
import { head } from './der';

/** An element around others. */
export interface Around {
  readonly tag: number;
  readonly inside: readonly Piece[];
}

/** A string that streams, of a primitive tag. */
export interface Content {
  readonly tag: number;
  readonly size: number | undefined;
  readonly body: AsyncIterable<Buffer>;
}

/** What is known only when all before it was written. */
export interface Later {
  readonly size: number | undefined;
  readonly bytes: () => Promise<Buffer>;
}

export type Piece = Buffer | Around | Content | Later;

/** How long it is, where that is known. */
export function sizeOf(piece: Piece): number | undefined {
  if (Buffer.isBuffer(piece)) return piece.length;
  if ('bytes' in piece) return piece.size;
  const inside = 'inside' in piece ? sumOf(piece.inside) : piece.size;
  return inside === undefined ? undefined : head(piece.tag, inside).length + inside;
}

const END = Buffer.alloc(2);

export async function* written(piece: Piece): AsyncGenerator<Buffer, void, undefined> {
  if (Buffer.isBuffer(piece)) yield piece;
  else if ('bytes' in piece) yield await piece.bytes();
  else if ('inside' in piece) {
    const size = sumOf(piece.inside);
    yield size === undefined ? indefinite(piece.tag) : head(piece.tag, size);
    for (const one of piece.inside) yield* written(one);
    if (size === undefined) yield END;
  } else if (piece.size !== undefined) {
    yield head(piece.tag, piece.size);
    yield* exactly(piece.size, piece.body);
  } else {
    yield indefinite(piece.tag | 0x20);
    for await (const chunk of piece.body) if (chunk.length > 0) yield Buffer.concat([head(0x04, chunk.length), chunk]);
    yield END;
  }
}

/** Throws where what comes is of another length than was said, since what is before it is written already. */
export async function* exactly(size: number, body: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  let left = size;
  for await (const chunk of body) {
    left -= chunk.length;
    if (left < 0) break;
    yield chunk;
  }
  if (left !== 0) throw new Error(`A payload is not the ${size} bytes long that were said: it changed while it was sent`);
}

function sumOf(pieces: readonly Piece[]): number | undefined {
  let sum = 0;
  for (const piece of pieces) {
    const size = sizeOf(piece);
    if (size === undefined) return undefined;
    sum += size;
  }
  return sum;
}

function indefinite(tag: number): Buffer {
  return Buffer.from([tag, 0x80]);
}
