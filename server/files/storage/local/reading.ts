/** Files of the local disk that are read. */
import type { FileHandle } from 'node:fs/promises';
import type { ReadHandle } from '../storage';
import { storageError } from './errors';

/** Up to so many bytes are read as soon as the file is open: the client has yet to be answered, and to make its handshake. */
export const READ_AT_ONCE = 16 * 1024;

/** A file that is read piece by piece. */
export class OpenFile implements ReadHandle {
  constructor(
    private readonly file: FileHandle,
    readonly size: number,
    private position: number,
  ) {}

  async read(into: Buffer): Promise<number> {
    const { bytesRead } = await this.file.read(into, 0, into.length, this.position).catch(storageError);
    this.position += bytesRead;
    return bytesRead;
  }

  async seek(position: number): Promise<void> {
    this.position = position;
  }

  close(): Promise<void> {
    return this.file.close();
  }
}

/** A small file, read and closed while others are busy with its client. */
export class WholeFile implements ReadHandle {
  private readonly content: Promise<Buffer>;
  private readonly closed: Promise<void>;

  constructor(
    file: FileHandle,
    readonly size: number,
    private position: number,
  ) {
    this.content = readAll(file, Buffer.allocUnsafe(size));
    this.closed = this.content.then(
      () => file.close(),
      () => file.close(),
    );
    this.closed.catch(() => {}); // told by `close`
  }

  async read(into: Buffer): Promise<number> {
    const content = await this.content;
    const bytes = content.copy(into, 0, Math.min(this.position, content.length));
    this.position += bytes;
    return bytes;
  }

  async seek(position: number): Promise<void> {
    this.position = position;
  }

  close(): Promise<void> {
    return this.closed;
  }
}

/** What there is up to the size it had; less where it became shorter meanwhile. */
async function readAll(file: FileHandle, into: Buffer): Promise<Buffer> {
  let filled = 0;
  while (filled < into.length) {
    const { bytesRead } = await file.read(into, filled, into.length - filled, filled).catch(storageError);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return into.subarray(0, filled);
}
