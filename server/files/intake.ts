/** What a client sends, gathered into large pieces, which are written, hashed and scanned side by side. */
import type { Pace } from '../limits/bandwidth';
import type { Scan, ScanVerdict } from './antivirus/scanner';
import { borrowBuffer, borrowFirst, pieceSize, piecesAhead, restOf, returnBuffer, returnFirst } from './buffers';
import { FileHash } from './hashing/file-hash';
import type { Progress } from './progress';
import type { Sink, Source } from './source';
import { bytesOf } from './storage/chunks';
import type { WriteHandle } from './storage/storage';

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
export async function takeAll(source: Source, target: WriteHandle, progress: Progress, { hash: wanted, scan, pace }: IntakeOptions): Promise<Received> {
  const hash = wanted ? new FileHash('sha256') : undefined;
  let intake!: Intake;
  try {
    await new Promise<void>((resolve, reject) => {
      intake = new Intake(source, { target, hash, scan, pace }, progress, (error) => (error ? reject(error) : resolve()));
      intake.begin();
    });
    return { sha256: await hash?.digest(), verdict: await scan?.finish() };
  } catch (error) {
    hash?.abandon();
    throw error;
  } finally {
    intake.giveBack();
  }
}

interface Destinations {
  readonly target: WriteHandle;
  readonly hash?: FileHash;
  readonly scan?: Scan;
  readonly pace?: Pace;
}

/** A piece that is full, and the hash's word that it has looked at it. */
interface FullPiece {
  readonly bytes: Buffer;
  readonly hashed?: Promise<void>;
}

/**
 * The hash takes each piece as soon as it is full, and the target as many as there are when it is done with those before: neither waits for the other.
 * The source waits when too many pieces are with them.
 */
class Intake implements Sink {
  private piece: Buffer;
  /** The first piece, as long as the hash may look at it later: small files are hashed at their end. */
  private first: Buffer | undefined = borrowFirst();
  private filled = 0;
  /** Of what was taken, so many bytes are written and hashed. */
  private dealtWith = 0;
  /** Full, and not with the target yet. */
  private full: FullPiece[] = [];
  /** How many pieces are full and somebody is not done with them. */
  private unfinished = 0;
  private writing = false;
  private ended = false;
  private paused = false;
  private cutShort: Error | undefined;
  /** Nothing more is taken: all has come and is dealt with, or it failed. */
  private over = false;
  private failure: Error | undefined;
  private gone: Promise<void> | undefined;
  private isTold = false;

  constructor(
    private readonly source: Source,
    private readonly to: Destinations,
    private readonly progress: Progress,
    /** Called once, when nobody looks at a piece any more. */
    private readonly done: (error?: Error) => void,
  ) {
    this.piece = this.first!.subarray(0, this.size());
  }

  begin(): void {
    const { signal } = this.progress;
    signal.addEventListener('abort', () => this.giveUp(signal.reason as Error));
    if (signal.aborted) this.giveUp(signal.reason as Error);
    else this.source.flowInto(this);
  }

  /** After the end, and after the digest. */
  giveBack(): void {
    // The piece that is being filled is the source's until it has let go: TLS may still decrypt into it.
    void this.gone!.then(() => {
      returnBuffer(this.piece);
      this.returnFirst();
    });
  }

  space(): Buffer {
    return this.filled === 0 ? this.piece : restOf(this.piece, this.filled);
  }

  took(bytes: number): boolean {
    if (this.over) return true; // into the piece that is left, again and again: nobody looks
    this.progress.bytes += bytes;
    this.filled += bytes;
    if (this.filled < this.piece.length) return true;
    const { piece } = this;
    this.piece = borrowBuffer(this.size());
    this.filled = 0;
    this.pass(piece);
    this.paused = this.unfinished > this.ahead();
    return !this.paused;
  }

  end(cut?: Error): void {
    if (this.ended) return;
    this.ended = true;
    this.cutShort = cut;
    if (this.over) return;
    if (this.filled > 0) this.pass(this.piece.subarray(0, this.filled));
    else this.look();
  }

  fail(error: Error): void {
    if (!this.ended) this.giveUp(error);
  }

  get isBusy(): boolean {
    return this.unfinished > 0;
  }

  private size(): number {
    return Math.min(pieceSize(), this.to.pace?.piece ?? Number.POSITIVE_INFINITY);
  }

  /** A limit of bandwidth lets pieces go one by one, so that they come evenly. */
  private ahead(): number {
    return this.to.pace ? 1 : piecesAhead();
  }

  private pass(bytes: Buffer): void {
    const hashed = this.to.hash?.update([bytes]);
    hashed?.catch((error: Error) => this.giveUp(error));
    this.full.push({ bytes, hashed });
    this.unfinished += 1;
    if (!this.writing) void this.write();
  }

  private returnFirst(): void {
    if (this.first) returnFirst(this.first);
    this.first = undefined;
  }

  private async write(): Promise<void> {
    const { target, scan, pace } = this.to;
    this.writing = true;
    while (this.full.length > 0) {
      const pieces = this.full;
      this.full = [];
      if (!this.over) {
        const chunks = pieces.map(({ bytes }) => bytes);
        let readers: readonly unknown[] = [];
        try {
          await pace?.before(bytesOf(chunks), this.progress.signal);
          readers = [target.write(chunks, this.ended && this.full.length === 0), scan?.write(chunks)];
          await Promise.all(readers);
        } catch (error) {
          await Promise.allSettled(readers); // one has failed, the others still read
          this.giveUp(error as Error);
        }
      }
      for (const piece of pieces) void this.release(piece);
    }
    this.writing = false;
  }

  private async release({ bytes, hashed }: FullPiece): Promise<void> {
    await hashed?.catch(() => {}); // told by `pass`
    if (bytes.buffer !== this.piece.buffer) returnBuffer(bytes);
    this.dealtWith += bytes.length;
    // Up to there the hash keeps what it got, and looks at it only with what comes next.
    if (this.first && this.dealtWith > this.first.length) this.returnFirst();
    this.unfinished -= 1;
    if (this.paused && this.unfinished <= this.ahead()) {
      this.paused = false;
      this.source.resume();
    }
    this.look();
  }

  /** Who waits for the end must not tear down beneath it what somebody still reads. */
  private look(): void {
    if (this.unfinished > 0 || !(this.over || this.ended) || this.isTold) return;
    this.isTold = true;
    this.over = true;
    this.gone ??= this.source.letGo(false);
    this.done(this.failure ?? this.cutShort);
  }

  private giveUp(error: Error): void {
    if (this.over) return;
    this.over = true;
    this.failure = error;
    this.gone = this.source.letGo(true);
    this.to.target.stop();
    this.look();
  }
}
