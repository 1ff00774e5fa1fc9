/** STOR, APPE, STOU: what the client sends, gathered into large writes, to storage and past the scanner. */

import type { DataChannel } from '../ftps/data/channel';
import { readInto, type Sink } from '../ftps/tls/read-into';
import { LINGER_MS } from '../ftps/transfer/outgoing';
import type { Pace } from '../limits/bandwidth';
import type { Scan, ScanVerdict } from './antivirus/scanner';
import { borrowBuffer, pieceSize, piecesAhead, returnBuffer } from './buffers';
import { FileHash } from './hashing/file-hash';
import { type Progress, TransferError } from './progress';
import { bytesOf } from './storage/chunks';
import type { WriteHandle } from './storage/storage';

/** Size of an upload's first piece in bytes. */
const FIRST_PIECE = 64 * 1024;

export interface UploadOptions {
  readonly stallSeconds: number;
  /** Whether an upload without close_notify counts as cut. */
  readonly requireCloseNotify: boolean;
  readonly hash: boolean;
  readonly scan?: Scan;
  /** Absent where nothing limits the bandwidth. */
  readonly pace?: Pace;
}

export interface Received {
  readonly sha256?: string;
  readonly verdict?: ScanVerdict;
}

/** Takes the whole upload. Fulfilled when the last byte is written; making it visible is the caller's decision. */
export async function receiveFile(
  { socket, endedByCloseNotify, sayGoodbye }: DataChannel,
  target: WriteHandle,
  progress: Progress,
  options: UploadOptions,
): Promise<Received> {
  const hash = options.hash ? new FileHash('sha256') : undefined;
  const { scan, pace } = options;
  // A limit of bandwidth lets pieces go one by one, so that they come evenly.
  const ahead = () => (pace ? 1 : piecesAhead());
  const size = () => Math.min(pieceSize(), pace?.piece ?? Number.POSITIVE_INFINITY);
  await new Promise<void>((resolve, reject) => {
    // Small at first: most files are.
    let piece = borrowBuffer(Math.min(FIRST_PIECE, size()));
    let filled = 0;
    let full: Buffer[] = [];
    let writing = false;
    let ended = false;
    let over = false;

    const fail = (error: Error) => {
      if (over) return;
      over = true;
      socket.destroy();
      target.stop();
      // A write under way still reads the buffers; whoever catches this must not tear the target down beneath it.
      const refuse = () => {
        giveBackRest();
        reject(error);
      };
      if (writing) idle = refuse;
      else refuse();
    };
    let idle: (() => void) | undefined;

    /** The piece that is being filled is the connection's until that is closed: TLS may still decrypt into it. */
    let closed = socket.destroyed; // and was never given a piece
    const giveBack = (pieces: readonly Buffer[]) => {
      for (const one of pieces) if (one.buffer !== piece.buffer) returnBuffer(one);
    };
    const giveBackRest = () => {
      giveBack(full);
      if (closed) returnBuffer(piece);
      else socket.once('close', () => returnBuffer(piece));
    };

    const write = async () => {
      writing = true;
      const chunks = full;
      full = [];
      let readers: readonly unknown[] = [];
      try {
        await pace?.before(bytesOf(chunks), progress.signal);
        readers = [target.write(chunks), hash?.update(chunks), scan?.write(chunks)];
        await Promise.all(readers);
        writing = false;
      } catch (error) {
        await Promise.allSettled(readers); // one has failed, the others still read
        writing = false;
        fail(error as Error);
      }
      giveBack(chunks);
      if (over) return idle?.();
      socket.resume();
      if (full.length > 0) return void write();
      if (ended) finish();
    };

    const finish = () => {
      if (over) return;
      over = true;
      socket.setTimeout(LINGER_MS, () => socket.destroy());
      giveBackRest();
      resolve();
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
    };
    const onEnd = () => {
      ended = true;
      // Some clients (Python's ftplib) wait for our close_notify before they look for the reply.
      sayGoodbye();
      if (filled > 0) full.push(piece.subarray(0, filled));
      if (writing || over) return;
      if (full.length > 0) void write();
      else finish();
    };
    socket.on('end', onEnd);
    socket.on('error', (error) => {
      // Once everything has arrived, a client may close as it likes, also with what we sent last unread.
      if (!ended) fail(new TransferError('disconnected', `The data connection broke (${(error as NodeJS.ErrnoException).code ?? 'TLS error'})`));
    });
    socket.on('close', () => {
      closed = true;
      if (!ended) fail(new TransferError('cut', 'The data connection ended before the upload did'));
    });
    socket.setTimeout(options.stallSeconds * 1000);
    socket.on('timeout', () => {
      // While bytes are being stored or scanned, or a bandwidth limit holds them back, it is not the client who keeps us waiting.
      if (writing) socket.setTimeout(options.stallSeconds * 1000);
      else fail(new TransferError('stalled', `The client sent no data for ${options.stallSeconds} seconds`));
    });
    progress.signal.addEventListener('abort', () => fail(progress.signal.reason as Error));
    if (progress.signal.aborted) return fail(progress.signal.reason as Error);
    readInto(socket, sink);
    // An empty file may have come to its end before anybody listened.
    if (socket.readableEnded) onEnd();
    else if (socket.destroyed) fail(new TransferError('cut', 'The data connection ended before the upload did'));
  }).catch((error: unknown) => {
    hash?.abandon();
    throw error;
  });
  if (options.requireCloseNotify && !endedByCloseNotify()) {
    hash?.abandon();
    throw new TransferError('cut', 'The upload was cut: its TLS connection ended without close_notify');
  }
  return { sha256: await hash?.digest(), verdict: await scan?.finish() };
}
