/** The buffers that files are read into: large while few transfers run, smaller when many do, so that memory stays bounded. */

const KIB = 1024;
const LARGEST = 1024 * KIB;
const KEPT = 32;

const idle: Buffer[] = [];
let transfers = 0;

/** Notes that a transfer begins; the returned function, called once, that it is over. */
export function countTransfer(): () => void {
  transfers += 1;
  return () => {
    transfers -= 1;
  };
}

/** How many transfers run in this process. */
export function runningTransfers(): number {
  return transfers;
}

/** The size in bytes of the pieces that a transfer should move now. */
export function pieceSize(): number {
  return transfers <= 32 ? LARGEST : transfers <= 256 ? 256 * KIB : 64 * KIB;
}

/** How many pieces of one upload may wait while others are written, hashed and scanned, before its client is made to wait: enough not to stop at every hiccup. */
export function piecesAhead(): number {
  return transfers <= 8 ? 4 : 1;
}

/** A buffer for a file with that many bytes left. Its content is undefined. A large one lies in memory that threads can share, so that a file is hashed where it is. */
export function borrowBuffer(bytesLeft: number): Buffer {
  const size = Math.min(pieceSize(), Math.max(bytesLeft, 1));
  if (size < LARGEST) return Buffer.allocUnsafeSlow(size);
  return idle.pop() ?? Buffer.from(new SharedArrayBuffer(LARGEST));
}

/** Gives a buffer back that nobody reads or writes any more. */
export function returnBuffer(buffer: Buffer): void {
  if (buffer.length === LARGEST && idle.length < KEPT) idle.push(buffer);
}
