/** RETR: the file to the client. While one piece is encrypted and sent, the next is read. */
import type { Outlet } from './account-files';
import { borrowBuffer, returnBuffer } from './buffers';
import { TransferError } from './progress';
import type { ReadHandle } from './storage/storage';

/** Sends so many bytes of the file, from where it was opened. */
export async function sendFile(source: ReadHandle, length: number, out: Outlet): Promise<void> {
  let left = length;
  if (left > 0) {
    let piece = borrowBuffer(left);
    let next: Buffer | undefined;
    try {
      let filled = await read(source, piece);
      for (;;) {
        const ready = piece.subarray(0, Math.min(filled, left));
        left -= ready.length;
        if (left === 0) {
          await out.send(ready);
          break;
        }
        next ??= borrowBuffer(left);
        // Both must be over before either buffer is touched again, also when one of them fails.
        const [sent, got] = await Promise.allSettled([out.send(ready), read(source, next)]);
        if (sent.status === 'rejected') throw sent.reason;
        if (got.status === 'rejected') throw got.reason;
        filled = got.value;
        [piece, next] = [next, piece];
      }
    } finally {
      // A connection that failed is destroyed by now: what it took is encrypted, what it did not take it drops.
      returnBuffer(piece);
      if (next) returnBuffer(next);
    }
  }
  await out.end();
}

async function read(source: ReadHandle, into: Buffer): Promise<number> {
  const filled = await source.read(into);
  if (filled === 0) throw new TransferError('changed', 'The file became shorter while it was sent');
  return filled;
}
