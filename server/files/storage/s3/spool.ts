/**
 * A disk of this machine for what S3 can't hold: files that are written anywhere before they are put there. They have no names, so that nobody finds them
 * and a process that ends, however it ends, leaves none; all of them together are bounded.
 */
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { writeAll } from '../local/draft';
import { storageError } from '../local/errors';
import { Staging } from '../local/staging';
import { StorageError } from '../storage';

export class Spool {
  private readonly staging: Staging;
  private used = 0;
  private isWarned = false;

  /** `most`: bytes of all its files together. */
  constructor(
    private readonly folder: string,
    private readonly most: number,
  ) {
    this.staging = new Staging(folder);
  }

  async open(): Promise<SpoolFile> {
    const folder = await this.staging.open().catch((error: NodeJS.ErrnoException) => {
      this.warn(error.code);
      return storageError(error);
    });
    const name = this.staging.newName();
    const file = await folder.file(name, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL);
    await folder.remove(name);
    return new SpoolFile(file, (bytes) => this.take(bytes));
  }

  private warn(code: string | undefined): void {
    if (!this.isWarned) process.emitWarning(`storage.spool: ${this.folder} can't be used (${code}); files that are not written in order are refused`);
    this.isWarned = true;
  }

  /** Removes the folders that dead processes left. */
  sweep(): AsyncGenerator<void> {
    return this.staging.sweep();
  }

  close(): Promise<void> {
    return this.staging.close();
  }

  /** Takes room, or gives it back where it is less than none. */
  private take(bytes: number): void {
    if (bytes > 0 && this.used + bytes > this.most)
      throw new StorageError('no-space', 'There is no room now for files that are not written in order; write it in order, or try again later.');
    this.used += bytes;
  }
}

export class SpoolFile {
  size = 0;

  constructor(
    private readonly file: FileHandle,
    private readonly take: (bytes: number) => void,
  ) {}

  async read(offset: number, into: Buffer): Promise<number> {
    return (await this.file.read(into, 0, into.length, offset).catch(storageError)).bytesRead;
  }

  async write(offset: number, bytes: Buffer): Promise<void> {
    this.lengthen(offset + bytes.length);
    await writeAll(this.file, offset, bytes);
  }

  async truncate(size: number): Promise<void> {
    this.lengthen(size);
    await this.file.truncate(size).catch(storageError);
    this.take(size - this.size);
    this.size = size;
  }

  async close(): Promise<void> {
    this.take(-this.size);
    this.size = 0;
    await this.file.close();
  }

  private lengthen(size: number): void {
    if (size <= this.size) return;
    this.take(size - this.size);
    this.size = size;
  }
}
