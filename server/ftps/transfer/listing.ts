/** LIST, NLST and MLSD: the entries of a folder as they are found, never all of them in memory. */
import type { Entry } from '../../files/account-files';
import type { Outgoing } from './outgoing';

/** Lines are gathered to pieces of this size, so that a large folder takes few writes. Characters. */
const PIECE = 64 * 1024;

/** Sends a line for each entry; `lineOf` may leave one out. */
export async function sendListing(batches: AsyncIterable<readonly Entry[]>, lineOf: (entry: Entry) => string | undefined, out: Outgoing): Promise<void> {
  let piece = '';
  let sending: Promise<void> = Promise.resolve();
  let first = true;
  for await (const batch of batches) {
    for (const entry of batch) piece += lineOf(entry) ?? '';
    // The first lines leave at once: people wait for them.
    if (piece.length >= PIECE || (first && piece.length > 0)) {
      await sending;
      sending = out.send(Buffer.from(piece));
      sending.catch(() => {}); // awaited before the next piece
      piece = '';
      first = false;
    }
  }
  await sending;
  if (piece.length > 0) await out.send(Buffer.from(piece));
  await out.end();
}
