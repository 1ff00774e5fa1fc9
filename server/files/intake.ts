/** What a client sends, gathered into large writes, to storage, to the hash and past the scanner. */
import type { Pace } from '../limits/bandwidth';
import type { Scan, ScanVerdict } from './antivirus/scanner';
import { borrowBuffer, pieceSize, piecesAhead, returnBuffer } from './buffers';
import { FileHash } from './hashing/file-hash';
import type { Progress } from './progress';
import type { Sink, Source } from './source';
import { bytesOf } from './storage/chunks';
import type { WriteHandle } from './storage/storage';

/** Size of an upload's first piece in bytes. */
const FIRST_PIECE = 64 * 1024;

export interface IntakeOptions {
  readonly hash: boolean;
  readonly scan?: Scan;
  /** Absent where nothing limits the bandwidth. */
  readonly pace?: Pace;
}

export interface Received {
  readonly sha256?: string;
  readonly verdict?: ScanVerdict;
}

/** Takes all that the source brings. Fulfilled when the last byte is written; making it visible is the caller's decision. */
export async function takeAll(source: Source, target: WriteHandle, progress: Progress, options: IntakeOptions): Promise<Received> {
  const hash = options.hash ? new FileHash('sha256') : undefined;
  const { scan, pace } = options;
  // A limit of bandwidth lets pieces go one by one, so that they come evenly.
  const ahead = () => (pace ? 1 : piecesAhead());
  const size = () => Math.min(pieceSize(), pace?.piece ?? Number.POSITIVE_INFINITY);
  try {
    await new Promise<void>((resolve, reject) => {
      // Small at first: most files are.
      let piece = borrowBuffer(Math.min(FIRST_PIECE, size()));
      let filled = 0;
      let full: Buffer[] = [];
      let writing = false;
      let ended = false;
      let cutShort: Error | undefined;
      let over = false;

      const giveBack = (pieces: readonly Buffer[]) => {
        for (const one of pieces) if (one.buffer !== piece.buffer) returnBuffer(one);
      };
      /** The piece that is being filled is the source's until it has let go: TLS may still decrypt into it. */
      const giveBackRest = (gone: Promise<void>) => {
        giveBack(full);
        void gone.then(() => returnBuffer(piece));
      };

      let idle: (() => void) | undefined;
      const fail = (error: Error) => {
        if (over) return;
        over = true;
        const gone = source.letGo(true);
        target.stop();
        // A write under way still reads the buffers; whoever catches this must not tear the target down beneath it.
        const refuse = () => {
          giveBackRest(gone);
          reject(error);
        };
        if (writing) idle = refuse;
        else refuse();
      };

      const write = async () => {
        writing = true;
        const chunks = full;
        full = [];
        let readers: readonly unknown[] = [];
        try {
          await pace?.before(bytesOf(chunks), progress.signal);
          readers = [target.write(chunks, ended && full.length === 0), hash?.update(chunks), scan?.write(chunks)];
          await Promise.all(readers);
          writing = false;
        } catch (error) {
          await Promise.allSettled(readers); // one has failed, the others still read
          writing = false;
          fail(error as Error);
        }
        giveBack(chunks);
        if (over) return idle?.();
        source.resume();
        if (full.length > 0) return void write();
        if (ended) finish();
      };

      const finish = () => {
        if (over) return;
        over = true;
        giveBackRest(source.letGo(false));
        if (cutShort) reject(cutShort);
        else resolve();
      };

      const sink: Sink = {
        space: () => (filled === 0 ? piece : piece.subarray(filled)),
        took(bytes) {
          if (over) return true; // into the piece that is left, again and again: nobody looks
          progress.bytes += bytes;
          filled += bytes;
          if (filled < piece.length) return true;
          full.push(piece);
          piece = borrowBuffer(size());
          filled = 0;
          if (writing) return full.length < ahead();
          void write();
          return true;
        },
        end(cut) {
          if (ended) return;
          ended = true;
          cutShort = cut;
          if (filled > 0) full.push(piece.subarray(0, filled));
          if (writing || over) return;
          if (full.length > 0) void write();
          else finish();
        },
        fail(error) {
          if (!ended) fail(error);
        },
        get isBusy() {
          return writing;
        },
      };
      progress.signal.addEventListener('abort', () => fail(progress.signal.reason as Error));
      if (progress.signal.aborted) return fail(progress.signal.reason as Error);
      source.flowInto(sink);
    });
  } catch (error) {
    hash?.abandon();
    throw error;
  }
  return { sha256: await hash?.digest(), verdict: await scan?.finish() };
}
