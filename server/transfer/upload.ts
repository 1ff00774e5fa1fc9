/** STOR, APPE, STOU: what the client sends, gathered into large writes, to storage and past the scanner. */
import { createHash } from 'node:crypto';
import type { Scan, ScanVerdict } from '../antivirus/scanner';
import type { DataChannel } from '../data/channel';
import type { WriteHandle } from '../storage/storage';
import type { Pace } from './bandwidth';
import { pieceSize } from './buffers';
import { LINGER_MS } from './outgoing';
import { type Progress, TransferError } from './progress';

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
  const hash = options.hash ? createHash('sha256') : undefined;
  const { scan, pace } = options;
  const enough = () => Math.min(pieceSize(), pace?.piece ?? Number.POSITIVE_INFINITY);
  await new Promise<void>((resolve, reject) => {
    let gathered: Buffer[] = [];
    let gatheredBytes = 0;
    let writing = false;
    let ended = false;
    let over = false;

    const fail = (error: Error) => {
      if (over) return;
      over = true;
      socket.destroy();
      // A write under way still reads the buffers; whoever catches this must not tear the target down beneath it.
      if (writing) idle = () => reject(error);
      else reject(error);
    };
    let idle: (() => void) | undefined;

    const write = async () => {
      writing = true;
      const chunks = gathered;
      const bytes = gatheredBytes;
      gathered = [];
      gatheredBytes = 0;
      try {
        if (hash) for (const chunk of chunks) hash.update(chunk);
        await pace?.before(bytes, progress.signal);
        await (scan ? Promise.all([target.write(chunks), scan.write(chunks)]) : target.write(chunks));
        writing = false;
      } catch (error) {
        writing = false;
        fail(error as Error);
      }
      if (over) return idle?.();
      socket.resume();
      if (gatheredBytes > 0 && (ended || gatheredBytes >= enough())) return void write();
      if (ended) finish();
    };

    const finish = () => {
      if (over) return;
      over = true;
      socket.setTimeout(LINGER_MS, () => socket.destroy());
      resolve();
    };

    socket.on('data', (chunk: Buffer) => {
      if (over) return;
      progress.bytes += chunk.length;
      gathered.push(chunk);
      gatheredBytes += chunk.length;
      if (gatheredBytes < enough()) return;
      if (writing) socket.pause();
      else void write();
    });
    const onEnd = () => {
      ended = true;
      // Some clients (Python's ftplib) wait for our close_notify before they look for the reply.
      sayGoodbye();
      if (writing || over) return;
      if (gatheredBytes > 0) void write();
      else finish();
    };
    socket.on('end', onEnd);
    socket.on('error', (error) => {
      // Once everything has arrived, a client may close as it likes, also with what we sent last unread.
      if (!ended) fail(new TransferError('disconnected', `The data connection broke (${(error as NodeJS.ErrnoException).code ?? 'TLS error'})`));
    });
    socket.on('close', () => {
      if (!ended) fail(new TransferError('cut', 'The data connection ended before the upload did'));
    });
    socket.setTimeout(options.stallSeconds * 1000, () => {
      // While bytes are being stored or scanned, or a bandwidth limit holds them back, it is not the client who keeps us waiting.
      if (writing) socket.setTimeout(options.stallSeconds * 1000);
      else fail(new TransferError('stalled', `The client sent no data for ${options.stallSeconds} seconds`));
    });
    progress.signal.addEventListener('abort', () => fail(progress.signal.reason as Error));
    if (progress.signal.aborted) fail(progress.signal.reason as Error);
    // An empty file may have come to its end before anybody listened.
    else if (socket.readableEnded) onEnd();
    else if (socket.destroyed && socket.readableLength === 0) fail(new TransferError('cut', 'The data connection ended before the upload did'));
  });
  if (options.requireCloseNotify && !endedByCloseNotify()) throw new TransferError('cut', 'The upload was cut: its TLS connection ended without close_notify');
  return { sha256: hash?.digest('hex'), verdict: await scan?.finish() };
}
