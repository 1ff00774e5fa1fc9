/** An upload's staged file, written and read anywhere until it is put into place: it is the very file that is renamed then. */
import type { FileHandle } from 'node:fs/promises';
import { type Draft, StorageError, type WriteHandle } from '../storage';
import type { UploadRoom } from '../upload-room';
import { storageError } from './errors';
import type { Folder } from './folder';

/** A hole takes no room on the disk until it is filled; a larger one must fit into what is free all the same. Bytes. */
const SMALL_HOLE = 1024 * 1024;

/** What of its upload a draft works with. Its size is the draft's to set. */
export type DraftedUpload = Pick<WriteHandle, 'stop' | 'commit' | 'abort' | 'quarantine'> & { size: number };

export class LocalDraft implements Draft {
  constructor(
    private readonly file: FileHandle,
    private readonly staging: Folder,
    private readonly room: UploadRoom,
    private readonly upload: DraftedUpload,
  ) {}

  get size(): number {
    return this.upload.size;
  }

  async read(offset: number, into: Buffer): Promise<number> {
    return (await this.file.read(into, 0, into.length, offset).catch(storageError)).bytesRead;
  }

  async write(offset: number, bytes: Buffer): Promise<void> {
    await this.makeRoom(offset + bytes.length, offset - this.size);
    await writeAll(this.file, offset, bytes);
    this.upload.size = Math.max(this.size, offset + bytes.length);
  }

  async truncate(size: number): Promise<void> {
    await this.makeRoom(size, size - this.size);
    await this.file.truncate(size).catch(storageError);
    this.upload.size = size;
  }

  /** `hole`: how much of it will be zeros that nobody sent. */
  private async makeRoom(size: number, hole: number): Promise<void> {
    if (size <= this.size) return;
    await this.room.grow(size);
    if (hole > SMALL_HOLE && hole > (await this.staging.available())) throw new StorageError('no-space', 'The storage is full.');
  }

  async settle(): Promise<WriteHandle> {
    return new SettledDraft(this.upload);
  }

  abort(): Promise<void> {
    return this.upload.abort();
  }
}

/** What is to be written lies there already. */
class SettledDraft implements WriteHandle {
  constructor(private readonly upload: DraftedUpload) {}

  get size(): number {
    return this.upload.size;
  }

  async *kept(): AsyncIterable<Buffer> {}

  async write(): Promise<void> {}

  stop(): void {
    this.upload.stop();
  }

  commit(...facts: Parameters<WriteHandle['commit']>): ReturnType<WriteHandle['commit']> {
    return this.upload.commit(...facts);
  }

  abort(): Promise<void> {
    return this.upload.abort();
  }

  quarantine(...finding: Parameters<WriteHandle['quarantine']>): Promise<string> {
    return this.upload.quarantine(...finding);
  }
}

/** The disk may take less than it was given; the next write says what is wrong. */
export async function writeAll(file: FileHandle, offset: number, bytes: Buffer): Promise<void> {
  for (let done = 0; done < bytes.length; ) done += (await file.write(bytes, done, bytes.length - done, offset + done).catch(storageError)).bytesWritten;
}
