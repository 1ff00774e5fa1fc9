/** RETR: the file to the client. While one piece is encrypted and sent, the next is read. */
import type { Outlet } from './account-files';
import { borrowBuffer, returnBuffer } from './buffers';
import { TransferError } from './progress';
import type { Lent, ReadHandle } from './storage/storage';

/** Sends so many bytes of the file, from where it was opened. */
export async function sendFile(source: ReadHandle, length: number, out: Outlet): Promise<void> {
  if (length > 0) await (source.lend ? sendLent((most) => source.lend!(most), length, out) : sendRead(source, length, out));
  await out.end();
}

async function sendRead(source: ReadHandle, length: number, out: Outlet): Promise<void> {
  let left = length;
  let piece = borrowBuffer(left);
  let next: Buffer | undefined;
  try {
    let filled = await read(source, piece);
    for (;;) {
      const ready = piece.subarray(0, Math.min(filled, left));
      left -= ready.length;
      if (left === 0) return await out.send(ready);
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

/** The same with bytes that lie in the storage's memory: they are encrypted from there. */
async function sendLent(lend: (most: number) => Promise<Lent>, length: number, out: Outlet): Promise<void> {
  let left = length;
  const next = async (): Promise<Lent> => {
    const lent = await lend(left);
    left -= lent.bytes.length;
    return lent.bytes.length > 0 ? lent : becameShorter();
  };
  for (let ready = await next(); ; ) {
    const [sent, got] = await Promise.allSettled([out.send(ready.bytes), left > 0 ? next() : undefined]);
    ready.giveBack();
    if (sent.status === 'rejected') {
      if (got.status === 'fulfilled') got.value?.giveBack();
      throw sent.reason;
    }
    if (got.status === 'rejected') throw got.reason;
    if (!got.value) return;
    ready = got.value;
  }
}

async function read(source: ReadHandle, into: Buffer): Promise<number> {
  const filled = await source.read(into);
  return filled > 0 ? filled : becameShorter();
}

function becameShorter(): never {
  throw new TransferError('changed', 'The file became shorter while it was sent');
}
