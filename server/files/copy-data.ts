/** Bytes of one file into another, on the server's side: through both files' own doors, so that pace, quota, hash and scanner see them. */
import type { CopyPlace, Reading, Writing } from './account-files';

/** Size in which it is copied. Bytes. */
const PIECE = 256 * 1024;

/** Answers how many bytes there were: fewer than wanted where the file ends before. */
export async function copyPieces(from: CopyPlace<Reading>, to: CopyPlace<Writing>, length = Number.POSITIVE_INFINITY): Promise<number> {
  const piece = Buffer.allocUnsafe(PIECE);
  for (let done = 0; ; ) {
    const filled = done < length ? await from.file.read(from.offset + done, piece.subarray(0, Math.min(PIECE, length - done))) : 0;
    if (filled === 0) return done;
    await to.file.write(to.offset + done, piece.subarray(0, filled));
    done += filled;
  }
}
