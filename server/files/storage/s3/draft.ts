/**
 * An upload to S3 that can become a draft. S3 gives nothing back of an upload that has no end yet, so what leaves for it is kept in the spool as well, up to
 * a bound; a draft lies in the spool alone and leaves for S3, as an upload of its own, when it is settled.
 */
import { bytesOf } from '../chunks';
import { type Draft, type DraftableHandle, StorageError, type WriteHandle } from '../storage';
import type { UploadRoom } from '../upload-room';
import type { Spool, SpoolFile } from './spool';

/** So much of an upload that is sent in order is kept to be changed later. Bytes. */
const KEPT_TO_CHANGE = 64 * 1024 * 1024;
/** Up to so many bytes are kept in memory: most files are small, and never changed. */
const IN_MEMORY = 64 * 1024;
/** Copied at once. Bytes. */
const PIECE = 1024 * 1024;

/** An upload that has not begun: its room, and how it is opened. */
export interface Fresh {
  readonly room: UploadRoom;
  open(): WriteHandle;
}

export interface DraftablePlace {
  readonly spool: Spool;
  readonly whole: boolean;
  /** An upload of the same name that keeps nothing of what is there. */
  readonly fresh: () => Promise<Fresh>;
}

export class DraftableUpload implements DraftableHandle {
  private readonly copy: Copy;
  private readonly stopping = new AbortController();
  private isGivenUp = false;

  constructor(
    private readonly upload: WriteHandle,
    private readonly place: DraftablePlace,
  ) {
    this.copy = new Copy(place.spool, place.whole ? Number.POSITIVE_INFINITY : KEPT_TO_CHANGE);
  }

  get size(): number {
    return this.upload.size;
  }

  kept(): AsyncIterable<Buffer> {
    return this.upload.kept();
  }

  async write(chunks: readonly Buffer[], isLast?: boolean): Promise<void> {
    const all = [this.upload.write(chunks, isLast), this.copy.add(chunks)];
    try {
      await Promise.all(all);
    } finally {
      await Promise.allSettled(all); // the buffers may be used again then
    }
  }

  stop(): void {
    this.stopping.abort(new StorageError('unavailable', 'The upload was given up.'));
    this.upload.stop();
  }

  async toDraft(): Promise<Draft> {
    const file = await this.copy.take(this.upload.kept(), this.stopping.signal);
    try {
      await this.giveUp();
      const fresh = await this.place.fresh();
      try {
        await fresh.room.grow(file.size);
      } catch (error) {
        fresh.room.give();
        throw error;
      }
      return new S3Draft(file, fresh);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  async commit(...facts: Parameters<WriteHandle['commit']>): ReturnType<WriteHandle['commit']> {
    await this.copy.drop();
    return this.upload.commit(...facts);
  }

  async abort(): Promise<void> {
    this.stop();
    await this.copy.drop();
    await this.giveUp();
  }

  private async giveUp(): Promise<void> {
    if (this.isGivenUp) return;
    this.isGivenUp = true;
    await this.upload.abort();
  }

  async quarantine(...finding: Parameters<WriteHandle['quarantine']>): Promise<string> {
    await this.copy.drop();
    return this.upload.quarantine(...finding);
  }
}

/** What was sent in order, as long as it can be had again. */
class Copy {
  private small: Buffer[] | undefined = [];
  private file: SpoolFile | undefined;
  private size = 0;
  private isLost = false;

  constructor(
    private readonly spool: Spool,
    private readonly most: number,
  ) {}

  async add(chunks: readonly Buffer[]): Promise<void> {
    if (this.isLost) return;
    try {
      await this.keep(chunks);
    } catch (error) {
      await this.drop();
      // Nobody may ever ask for it.
      if (this.most === Number.POSITIVE_INFINITY) throw error;
    }
  }

  private async keep(chunks: readonly Buffer[]): Promise<void> {
    const at = this.size;
    this.size += bytesOf(chunks);
    if (this.size > this.most) return this.drop();
    if (this.small && this.size <= IN_MEMORY) {
      this.small.push(...chunks.map((chunk) => Buffer.from(chunk)));
      return;
    }
    this.file ??= await this.spool.open();
    let offset = this.small ? 0 : at;
    for (const chunk of [...(this.small ?? []), ...chunks]) {
      await this.file.write(offset, chunk);
      offset += chunk.length;
    }
    this.small = undefined;
  }

  /** A file of all of it behind what comes before; the caller's from now on. */
  async take(before: AsyncIterable<Buffer>, signal: AbortSignal): Promise<SpoolFile> {
    if (this.isLost)
      throw new StorageError('unsupported', 'The file is too large to be changed while it is written here; write it in order, or open it to be read as well.');
    const { file, small = [] } = this;
    this.file = undefined;
    this.isLost = true;
    let whole: SpoolFile | undefined;
    try {
      for await (const piece of before) {
        signal.throwIfAborted();
        whole ??= await this.spool.open();
        await whole.write(whole.size, piece);
      }
      if (!whole && file) return file;
      whole ??= await this.spool.open();
      for (const chunk of small) await whole.write(whole.size, chunk);
      if (file) await append(file, whole, signal);
    } catch (error) {
      await whole?.close();
      await file?.close();
      throw error;
    }
    await file?.close();
    return whole;
  }

  async drop(): Promise<void> {
    this.isLost = true;
    this.small = undefined;
    const { file } = this;
    this.file = undefined;
    await file?.close();
  }
}

async function append(from: SpoolFile, to: SpoolFile, signal: AbortSignal): Promise<void> {
  const piece = Buffer.allocUnsafe(PIECE);
  for (let at = 0; at < from.size; ) {
    signal.throwIfAborted();
    const filled = await from.read(at, piece);
    await to.write(to.size, piece.subarray(0, filled));
    at += filled;
  }
}

class S3Draft implements Draft {
  constructor(
    private readonly file: SpoolFile,
    private readonly fresh: Fresh,
  ) {}

  get size(): number {
    return this.file.size;
  }

  read(offset: number, into: Buffer): Promise<number> {
    return this.file.read(offset, into);
  }

  async write(offset: number, bytes: Buffer): Promise<void> {
    await this.fresh.room.grow(offset + bytes.length);
    await this.file.write(offset, bytes);
  }

  async truncate(size: number): Promise<void> {
    await this.fresh.room.grow(size);
    await this.file.truncate(size);
  }

  async settle(): Promise<WriteHandle> {
    return new SettledDraft(this.fresh.open(), this.file);
  }

  async abort(): Promise<void> {
    this.fresh.room.give();
    await this.file.close();
  }
}

/** An upload out of a draft, which goes with its end. */
class SettledDraft implements WriteHandle {
  constructor(
    private readonly upload: WriteHandle,
    private readonly file: SpoolFile,
  ) {}

  get size(): number {
    return this.upload.size;
  }

  kept(): AsyncIterable<Buffer> {
    return this.upload.kept();
  }

  write(...chunks: Parameters<WriteHandle['write']>): Promise<void> {
    return this.upload.write(...chunks);
  }

  stop(): void {
    this.upload.stop();
  }

  commit(...facts: Parameters<WriteHandle['commit']>): ReturnType<WriteHandle['commit']> {
    return this.upload.commit(...facts).finally(() => this.file.close());
  }

  abort(): Promise<void> {
    return this.upload.abort().finally(() => this.file.close());
  }

  quarantine(...finding: Parameters<WriteHandle['quarantine']>): Promise<string> {
    return this.upload.quarantine(...finding).finally(() => this.file.close());
  }
}
