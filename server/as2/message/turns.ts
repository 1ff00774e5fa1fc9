/** Leaves the event loop its turns, however fast bytes come. */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** What is worked on at once. Bytes. */
const PER_TURN = 256 * 1024;

/** What comes, in pieces of bounded length, with turns of the event loop in between. Its source is not ended where this is. */
export async function* inTurns(body: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
  const source = body[Symbol.asyncIterator]();
  let inTurn = 0;
  for (let next = await source.next(); !next.done; next = await source.next()) {
    for (let at = 0; at < next.value.length; at += PER_TURN) {
      const piece = next.value.subarray(at, at + PER_TURN);
      inTurn += piece.length;
      if (inTurn >= PER_TURN) {
        inTurn = 0;
        await nextTurn();
      }
      yield piece;
    }
  }
}
