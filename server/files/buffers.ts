/** The buffers that files are read into: large while few transfers run, smaller when many do, so that memory stays bounded. */

const KIB = 1024;
const LARGEST = 1024 * KIB;
/**
 * So many pieces lie in memory that threads share, for as long as the process runs. V8 doesn't count such memory: no amount of it brings about a
 * collection, least of all in the thread that has seen it. So they are lent again and again, and never more are made.
 */
export const SHARED_PIECES = 32;

/** An upload's first piece, small because most files are. Bytes. */
const FIRST = 64 * KIB;
/** So many first pieces are kept for the next upload: V8 counts their memory, and collected the whole heap for every few hundred small files. */
const KEPT_FIRST = 16;

/** What TLS decrypts at a time: pieces are mostly filled in such steps. */
const RECORD = 16 * KIB;

const idle: ArrayBufferLike[] = [];
const idleFirst: Buffer[] = [];
/** The rest of a shared piece behind each record, made when it is first asked for: a new view for each of 65,536 records a GiB is noticed. */
const rests = new WeakMap<ArrayBufferLike, Buffer[]>();
let made = 0;
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

/** How many pieces of one upload may be with those who write, hash and scan, before its client is made to wait: enough not to stop at every hiccup. */
export function piecesAhead(): number {
  return transfers <= 4 ? 8 : transfers <= 8 ? 4 : 1;
}

/** A buffer for a file with that many bytes left. Its content is undefined. A large one lies in shared memory while there is some, so that a file is hashed where it is. */
export function borrowBuffer(bytesLeft: number): Buffer {
  const size = Math.min(pieceSize(), Math.max(bytesLeft, 1));
  if (size < LARGEST) return Buffer.allocUnsafeSlow(size);
  const memory = idle.pop();
  if (memory) return Buffer.from(memory);
  if (made === SHARED_PIECES) return Buffer.allocUnsafeSlow(LARGEST);
  made += 1;
  return Buffer.from(new SharedArrayBuffer(LARGEST));
}

/** For an upload of which nothing is known. To be given back whole. */
export function borrowFirst(): Buffer {
  return idleFirst.pop() ?? Buffer.allocUnsafeSlow(FIRST);
}

export function returnFirst(buffer: Buffer): void {
  if (idleFirst.length < KEPT_FIRST) idleFirst.push(buffer);
}

/** What is left of a whole buffer behind its first bytes. */
export function restOf(buffer: Buffer, from: number): Buffer {
  if (from % RECORD !== 0 || !(buffer.buffer instanceof SharedArrayBuffer)) return buffer.subarray(from);
  let views = rests.get(buffer.buffer);
  if (!views) {
    views = [];
    rests.set(buffer.buffer, views);
  }
  views[from / RECORD] ??= buffer.subarray(from);
  return views[from / RECORD]!;
}

/** Gives a buffer back, or a part of one for the whole, that nobody reads or writes any more: once, however the transfer ended. */
export function returnBuffer(buffer: Buffer): void {
  if (buffer.buffer instanceof SharedArrayBuffer) idle.push(buffer.buffer);
}

/** How many pieces of shared memory there are, and how many of them are lent. */
export function sharedPieces(): { readonly made: number; readonly lent: number } {
  return { made, lent: made - idle.length };
}
