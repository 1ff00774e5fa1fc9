/** Writes compressed-data (RFC 3274). */
import { pipeline, Readable } from 'node:stream';
import { createDeflate } from 'node:zlib';
import { algorithm, integer, oid } from './der';
import { COMPRESSED_DATA, DATA, ZLIB } from './oids';
import type { Piece } from './writer';

export function deflating(body: AsyncIterable<Buffer>): Piece {
  async function* deflated() {
    const deflate = createDeflate({ chunkSize: 64 * 1024 });
    // Errors of the body come out of the deflating stream.
    pipeline(Readable.from(body, { objectMode: false, highWaterMark: 64 * 1024 }), deflate, () => {});
    yield* deflate as AsyncIterable<Buffer>;
  }
  const content: Piece = { tag: 0x04, size: undefined, body: deflated() };
  const data: Piece = {
    tag: 0x30,
    inside: [integer(0), algorithm(ZLIB), { tag: 0x30, inside: [oid(DATA), { tag: 0xa0, inside: [content] }] }],
  };
  return { tag: 0x30, inside: [oid(COMPRESSED_DATA), { tag: 0xa0, inside: [data] }] };
}
