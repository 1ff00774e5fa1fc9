/** Files of the local disk that are read. By their numbers: a FileHandle is an emitter with promises of its own, which costs more than a small file's bytes. */
import { close, closeSync, constants, fstat, fstatSync, open, read, type Stats } from 'node:fs';
import { type ReadHandle, StorageError } from '../storage';
import { asStorageError } from './errors';
import type { Folder } from './folder';

/** Up to so many bytes are read as soon as the file is open: the client has yet to be answered, and to make its handshake. */
const READ_AT_ONCE = 16 * 1024;

/** Opens a file to be read from an offset on. */
export async function openToRead(folder: Folder, name: string, offset: number): Promise<ReadHandle> {
  const isLocal = await folder.isOnLocalDisk();
  const fd = (isLocal ? folder.openNow(name, constants.O_RDONLY) : undefined) ?? (await opened(folder.at(name)));
  try {
    const found = isLocal ? fstatSync(fd) : await look(fd);
    if (found.isDirectory()) throw new StorageError('is-directory', 'That is a directory.');
    if (!found.isFile()) throw new StorageError('not-found', 'No such file or directory.');
    if (offset > found.size) throw new StorageError('offset', `The file has ${found.size} bytes, and this is beyond its end.`);
    return found.size <= READ_AT_ONCE ? new WholeFile(fd, found.size, offset, isLocal) : new OpenFile(fd, found.size, offset);
  } catch (error) {
    await closed(fd).catch(() => {});
    throw asStorageError(error);
  }
}

/** A file that is read piece by piece. */
class OpenFile implements ReadHandle {
  private closing: Promise<void> | undefined;
  /** The number must not be given back, and to another file, while something is read by it. */
  private reading: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly fd: number,
    readonly size: number,
    private position: number,
  ) {}

  async read(into: Buffer): Promise<number> {
    if (this.closing) throw new StorageError('unavailable', 'The file is closed.');
    const reading = readAt(this.fd, into, 0, this.position);
    this.reading = reading.catch(() => {});
    const bytes = await reading;
    this.position += bytes;
    return bytes;
  }

  async seek(position: number): Promise<void> {
    this.position = position;
  }

  close(): Promise<void> {
    this.closing ??= this.reading.then(() => closed(this.fd));
    return this.closing;
  }
}

/** A small file, read and closed while others are busy with its client. */
class WholeFile implements ReadHandle {
  private readonly content: Promise<Buffer>;

  constructor(
    fd: number,
    readonly size: number,
    private position: number,
    isOnLocalDisk: boolean,
  ) {
    this.content = readAll(fd, Buffer.allocUnsafe(size));
    const over = () => (isOnLocalDisk ? closeNow(fd) : void closed(fd).catch(() => {}));
    this.content.then(over, over);
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

  async close(): Promise<void> {}
}

/** What there is up to the size it had; less where it became shorter meanwhile. */
async function readAll(fd: number, into: Buffer): Promise<Buffer> {
  let filled = 0;
  while (filled < into.length) {
    const bytes = await readAt(fd, into, filled, filled);
    if (bytes === 0) break;
    filled += bytes;
  }
  return into.subarray(0, filled);
}

/** Never through a link, and without waiting for what is no file. */
function opened(path: string): Promise<number> {
  return new Promise((resolve, reject) => {
    open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK, (error, fd) => (error ? reject(asStorageError(error)) : resolve(fd)));
  });
}

function look(fd: number): Promise<Stats> {
  return new Promise((resolve, reject) => {
    fstat(fd, (error, found) => (error ? reject(error) : resolve(found)));
  });
}

function readAt(fd: number, into: Buffer, from: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(fd, into, from, into.length - from, position, (error, bytes) => (error ? reject(asStorageError(error)) : resolve(bytes)));
  });
}

function closed(fd: number): Promise<void> {
  return new Promise((resolve, reject) => {
    close(fd, (error) => (error ? reject(asStorageError(error)) : resolve()));
  });
}

/** To close a file that was only read asks no disk of this machine, but where its name is gone: then its room is given back. */
function closeNow(fd: number): void {
  let isGone = false;
  try {
    isGone = fstatSync(fd).nlink === 0;
    if (!isGone) closeSync(fd);
  } catch {
    // it was only read
  }
  if (isGone) closed(fd).catch(() => {}); // the same
}
