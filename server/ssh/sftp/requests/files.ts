/** OPEN, READ, WRITE and CLOSE (sections 6.3 and 6.4 of the draft). */
import { type Outcome, RefusedByScanner } from '../../../files/account-files';
import { MalformedPacket, type WireReader } from '../../wire';
import { LARGEST_READ, LARGEST_WRITE } from '../extensions';
import { endListing, entryOf, type Handle, readingOf, type WriteHandle, writingOf } from '../handles';
import { filePathOf } from '../names';
import { asRefused, openFlags, Refused, readAttributes, statuses } from '../protocol';
import { ReadingFile } from '../reading-file';
import type { Sent } from '../replies';
import type { RequestParts } from './parts';

export class FileRequests {
  constructor(private readonly parts: RequestParts) {}

  async open(id: number, reader: WireReader): Promise<unknown> {
    const { session, handles, replies } = this.parts;
    const path = filePathOf(reader.text());
    const flags = reader.uint32();
    const { modified } = readAttributes(reader);
    const writes = (flags & openFlags.write) !== 0;
    handles.takePlace();
    let handle: Handle | undefined;
    try {
      handle = writes ? await this.openToWrite(path, flags, modified) : await this.openToRead(path);
    } catch (error) {
      const refused = asRefused(error);
      if (refused.status !== statuses.noSuchFile) session.refused(writes ? 'WRITE' : 'READ', path, refused.status);
      throw refused;
    } finally {
      if (!handle) handles.giveBack();
    }
    return replies.handle(id, handles.add(handle));
  }

  private async openToRead(path: string): Promise<Handle> {
    const { session } = this.parts;
    const reading = await session.files.openReading('READ', path);
    return { kind: 'read', path, reading, file: new ReadingFile(reading), over: session.begins('READ', path, reading.progress) };
  }

  private async openToWrite(path: string, flags: number, modified: number | undefined): Promise<Handle> {
    const { session } = this.parts;
    const has = (flag: number) => (flags & flag) !== 0;
    const existing =
      has(openFlags.exclusive) && has(openFlags.create) ? 'create' : has(openFlags.truncate) ? 'replace' : has(openFlags.append) ? 'append' : 'keep';
    const create = has(openFlags.create);
    if (existing === 'replace' && !create) await session.files.find('stat', path, 'file');
    const reads = has(openFlags.read);
    const writing = await session.files.openWriting(path, { command: 'WRITE', existing, create, read: reads });
    const time = modified === undefined ? undefined : new Date(modified * 1000);
    if (time) writing.keepTime(time);
    return { kind: 'write', path, writing, over: session.begins('WRITE', path, writing.progress), reads, modified: time };
  }

  async read(id: number, reader: WireReader): Promise<unknown> {
    const { handles, replies } = this.parts;
    const handle = handles.read(reader);
    const [offset, length] = [reader.uint64(), reader.uint32()];
    const parts = await partsOf(handle, offset, Math.min(length, LARGEST_READ));
    let bytes = 0;
    for (const part of parts) bytes += part.length;
    if (bytes === 0 && length > 0) return replies.end(id, 'That is the end.');
    return replies.data(id, parts, bytes);
  }

  async write(id: number, reader: WireReader): Promise<unknown> {
    const handle = this.parts.handles.read(reader);
    const offset = reader.uint64();
    const bytes = reader.string();
    const writing = writingOf(handle);
    if (bytes.length > LARGEST_WRITE) throw new MalformedPacket();
    await writing.write(offset, bytes);
    return this.parts.replies.ok(id, '');
  }

  /** `answer` answers what is thrown: a session that goes down ends when the last of its transfers is over, and the client has its answer by then. */
  close(id: number, reader: WireReader, answer: (error: unknown) => Sent): Promise<void> {
    const { handles, replies } = this.parts;
    const handle = handles.take(reader);
    return handles.released(handle, async () => {
      try {
        await this.end(handle);
      } catch (error) {
        await answer(error);
        return;
      }
      await replies.ok(id, 'Closed.');
    });
  }

  private async end(handle: Handle): Promise<void> {
    if (handle.kind === 'folder') return endListing(handle);
    if (handle.kind === 'read') return handle.file.close();
    await handle.reading?.close();
    if (!handle.ended) this.committed(handle, await handle.writing.commit());
  }

  /** Some rename a file before they close it. */
  async endWriting(path: string): Promise<void> {
    const open = this.parts.handles.writtenAt(path);
    if (!open) return;
    await open.reading?.close();
    open.reading = undefined;
    open.ended = await open.writing.commit();
    this.committed(open, open.ended);
  }

  private committed(handle: WriteHandle, outcome: Outcome): void {
    asCommitted(outcome);
    this.parts.names.ended(handle.path, outcome.held && entryOf(handle));
  }
}

async function partsOf(handle: Handle, offset: number, length: number): Promise<readonly Buffer[]> {
  if (handle.kind === 'read') return handle.file.read(offset, length);
  // Nothing is read ahead of a file that changes.
  const into = Buffer.allocUnsafe(length);
  return [into.subarray(0, await readingOf(handle).read(offset, into))];
}

/** Throws where an upload did not end well. */
export function asCommitted({ outcome, reason, error }: Outcome): void {
  if (outcome === 'success') return;
  const isDenied = error instanceof RefusedByScanner || asRefused(error).status === statuses.permissionDenied;
  throw new Refused(isDenied ? statuses.permissionDenied : statuses.failure, reason ?? 'The upload failed.');
}
