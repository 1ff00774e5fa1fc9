/**
 * SFTP on one channel. Requests are worked off one after the other, in the order in which they came, and each is answered before the next is looked at:
 * what is read ahead, and what waits to be written, lies below. So a client can ask for as much as its window holds, and no more lies in memory.
 */
import { posix } from 'node:path';
import { type AccountFiles, type Entry, type Listing, type Outcome, type Reading, RefusedByScanner, type Writing } from '../../files/account-files';
import { BrokenOff, type Progress } from '../../files/progress';
import { namesFolder, virtualPath } from '../../files/virtual-path';
import type { Channel, ChannelUser } from '../connection/channel';
import type { Slice } from '../slice';
import { MalformedPacket, WireReader, WireWriter } from '../wire';
import { type ExtensionName, extensions, isExtension, LARGEST_READ, LARGEST_WRITE } from './extensions';
import { IncomingPackets, LONGEST_PACKET } from './incoming';
import {
  type Attributes,
  asRefused,
  framed,
  longName,
  openFlags,
  Refused,
  readAttributes,
  replies,
  requests,
  statuses,
  statusReply,
  VERSION,
  writeAttributes,
} from './protocol';
import { ReadingFile } from './reading-file';

/** Entries of a folder in one answer. */
const ENTRIES_AT_ONCE = 100;
/** Paths whose files were sent but are not there yet, for a scanner has them: a client that looks after it finds what it sent. */
const MOST_HELD = 1_000;

interface ReadHandle {
  readonly kind: 'read';
  readonly path: string;
  readonly reading: Reading;
  /** The same, read ahead. */
  readonly file: ReadingFile;
  /** Tells the session that it is over. */
  readonly over: () => void;
}
interface WriteHandle {
  readonly kind: 'write';
  readonly path: string;
  readonly writing: Writing;
  readonly over: () => void;
  /** Whether it was opened to be read as well. */
  readonly reads: boolean;
  /** Once it was read. */
  reading?: Reading;
  modified: Date | undefined;
  /** Where it ended before it was closed: who renames a file that is being written has said that this was all. */
  ended?: Outcome;
}
interface FolderHandle {
  readonly kind: 'folder';
  readonly path: string;
  readonly batches: AsyncIterator<readonly Entry[]>;
  rest: readonly Entry[];
  readonly listing: Listing;
  /** Ends the listing, with an error where it was broken off. Fulfilled when it is told. */
  readonly end: (error?: Error) => Promise<unknown>;
}
type Handle = ReadHandle | WriteHandle | FolderHandle;

/** What of its session SFTP uses. */
export interface SftpSession {
  readonly files: AccountFiles;
  /** What the connection may take of the event loop. */
  readonly slice: Slice;
  /** Says that something is being done; the returned function that it is over. */
  begins(command: string, path: string, progress: Progress): () => void;
  /** Takes a place for an open handle; false where the session has too many. */
  takeHandle(): boolean;
  giveHandleBack(): void;
  /** A request that was refused, for the audit. */
  refused(command: string, path: string, status: number): void;
  /** Says that the server is at work, so that the client need not be heard of; the returned function that it is done. */
  works(): () => void;
  /** Whether what can't be kept, as permissions and owners, is passed over without a word. */
  readonly ignoresAttributes: boolean;
}

export class SftpServer implements ChannelUser {
  private readonly incoming = new IncomingPackets();
  private readonly handles = new Map<number, Handle>();
  private readonly held = new Map<string, Entry>();
  private nextHandle = 1;
  private begun = false;
  private working = false;
  private theyEnded = false;
  private gone = false;

  constructor(
    private readonly channel: Channel,
    private readonly session: SftpSession,
  ) {}

  data(bytes: Buffer): boolean {
    this.incoming.add(bytes);
    void this.work();
    return false;
  }

  ended(): void {
    this.theyEnded = true;
    if (!this.working) void this.finish();
  }

  closed(): void {
    this.gone = true;
    // What takes long is not gone on with.
    for (const handle of this.handles.values()) {
      if (handle.kind === 'write') handle.writing.progress.abort();
      else if (handle.kind === 'read') handle.reading.progress.abort();
    }
    if (!this.working) void this.finish();
  }

  private async work(): Promise<void> {
    if (this.working) return;
    this.working = true;
    const done = this.session.works();
    try {
      for (;;) {
        const packet = this.gone ? undefined : this.incoming.next();
        if (!packet) break;
        await this.handle(packet);
        this.channel.workedOff(packet.length + 4);
        if (this.session.slice.isUsedUp) await this.session.slice.next();
      }
    } catch (error) {
      if (!(error instanceof MalformedPacket)) process.emitWarning(error as Error);
      this.gone = true;
      this.channel.close(1);
    }
    done();
    this.working = false;
    if (this.gone || this.theyEnded) await this.finish();
  }

  /** What is still open was not closed by the client: that is no end. */
  private async finish(): Promise<void> {
    for (const [number, handle] of [...this.handles]) {
      this.handles.delete(number);
      await this.giveUp(handle).catch(() => {});
    }
    this.channel.close(0);
  }

  private giveUp(handle: Handle): Promise<void> {
    return this.released(handle, async () => {
      if (handle.kind === 'read') await handle.file.abort();
      else if (handle.kind === 'write') {
        await handle.reading?.abort();
        if (!handle.ended) await handle.writing.abort();
      } else await endListing(handle, new BrokenOff('The client left before the listing was over.'));
    });
  }

  /** Gives back what a handle holds of the session, whatever comes of its end. */
  private async released(handle: Handle, end: () => Promise<void>): Promise<void> {
    this.session.giveHandleBack();
    try {
      await end();
    } finally {
      if (handle.kind !== 'folder') handle.over();
    }
  }

  private async handle(packet: Buffer): Promise<void> {
    const reader = new WireReader(packet, 1);
    const type = packet[0]!;
    if (!this.begun) {
      if (type !== requests.init) throw new MalformedPacket();
      this.begun = true;
      const version = new WireWriter().uint32(0).byte(replies.version).uint32(VERSION);
      for (const [name, revision] of Object.entries(extensions)) version.string(name).string(revision);
      await this.channel.send(framed(version));
      return;
    }
    const id = reader.uint32();
    await this.answered(id, () => this.request(type, id, reader));
  }

  /** Answers what is thrown. */
  private async answered(id: number, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (error instanceof MalformedPacket) return this.status(id, statuses.badMessage, 'The request is malformed.');
      const { status, message } = asRefused(error);
      return this.status(id, status, message);
    }
  }

  private async request(type: number, id: number, reader: WireReader): Promise<void> {
    const { files } = this.session;
    switch (type) {
      case requests.read:
        return this.read(id, reader);
      case requests.write:
        return this.write(id, reader);
      case requests.open:
        return this.open(id, reader);
      case requests.close:
        return this.close(id, this.handleOf(reader));
      case requests.stat:
      case requests.lstat:
        return this.attributes(id, await this.entryAt(reader.text()));
      case requests.fstat: {
        const handle = this.numbered(this.handleOf(reader));
        if (handle.kind === 'write') return this.attributes(id, entryOf(handle));
        if (handle.kind === 'folder') return this.attributes(id, await this.entryAt(handle.path));
        const { type, modified } = await this.entryAt(handle.path);
        return this.attributes(id, { type, modified, size: handle.file.size });
      }
      case requests.setstat:
        return this.setStat(id, reader);
      case requests.fsetstat: {
        const handle = this.numbered(this.handleOf(reader));
        return this.changed(id, 'FSETSTAT', handle.path, () => this.setHandleAttributes(handle, readAttributes(reader)));
      }
      case requests.opendir:
        return this.openFolder(id, reader.text());
      case requests.readdir:
        return this.readFolder(id, this.numbered(this.handleOf(reader)));
      case requests.remove: {
        const path = this.filePath(reader.text());
        return this.changed(id, 'REMOVE', path, () => files.remove('REMOVE', path));
      }
      case requests.mkdir: {
        const path = this.path(reader.text());
        return this.changed(id, 'MKDIR', path, () => files.makeFolder('MKDIR', path));
      }
      case requests.rmdir: {
        const path = this.path(reader.text());
        return this.changed(id, 'RMDIR', path, () => files.removeFolder('RMDIR', path));
      }
      case requests.realpath:
        return this.name(id, this.path(reader.text() || '.'));
      case requests.rename:
        return this.rename(id, reader, false);
      case requests.readlink:
      case requests.symlink:
        throw new Refused(statuses.unsupported, 'There are no links here.');
      case requests.extended:
        return this.extended(id, reader);
      default:
        throw new Refused(statuses.unsupported, 'That is not known here.');
    }
  }

  // What is asked by path.

  private path(argument: string): string {
    return virtualPath('/', argument);
  }

  private filePath(argument: string): string {
    if (namesFolder(argument)) throw new Refused(statuses.failure, 'A path that ends like this one names a folder.');
    return this.path(argument);
  }

  private async entryAt(argument: string): Promise<Entry> {
    const path = this.path(argument);
    const open = namesFolder(argument) ? undefined : this.writtenAt(path);
    if (open) return entryOf(open);
    try {
      return await this.session.files.find('stat', path, namesFolder(argument) ? 'directory' : undefined);
    } catch (error) {
      const held = this.held.get(path);
      if (held) return held;
      throw error;
    }
  }

  /** What this client is writing under a path: to itself it is there already, as far as it has come. */
  private writtenAt(path: string): WriteHandle | undefined {
    for (const handle of this.handles.values()) if (handle.kind === 'write' && !handle.ended && handle.path === path) return handle;
    return undefined;
  }

  /** Does what changes something; a refusal is told to the audit, for `files` knows only what was done. */
  private async changed(id: number, command: string, path: string, change: () => Promise<unknown>): Promise<void> {
    try {
      await change();
    } catch (error) {
      if (error instanceof MalformedPacket) throw error;
      const refused = asRefused(error);
      this.session.refused(command, path, refused.status);
      throw refused;
    }
    return this.status(id, statuses.ok, 'Done.');
  }

  private rename(id: number, reader: WireReader, replace: boolean): Promise<void> {
    const [from, argument] = [this.path(reader.text()), reader.text()];
    const to = this.path(argument);
    return this.changed(id, replace ? 'POSIX-RENAME' : 'RENAME', from, async () => {
      await this.endWriting(from);
      await this.session.files.rename(replace ? 'POSIX-RENAME' : 'RENAME', from, to, { replace });
      const held = this.held.get(from);
      this.held.delete(from);
      if (held) this.held.set(to, held);
    });
  }

  /** Some rename a file before they close it. */
  private async endWriting(path: string): Promise<void> {
    const open = this.writtenAt(path);
    if (!open) return;
    await open.reading?.close();
    open.reading = undefined;
    open.ended = await open.writing.commit();
    this.committed(open, open.ended);
  }

  private setStat(id: number, reader: WireReader): Promise<void> {
    const path = this.path(reader.text());
    return this.changed(id, 'SETSTAT', path, () => this.setAttributes(path, readAttributes(reader)));
  }

  private async setAttributes(path: string, { size, modified }: Attributes): Promise<void> {
    const { files, ignoresAttributes } = this.session;
    const refusal = files.refusal('set-time');
    if (refusal !== undefined) throw new Refused(statuses.permissionDenied, refusal);
    if (size !== undefined) await this.setSize(path, size);
    if (modified !== undefined && !this.held.has(path)) await files.setModified('SETSTAT', path, new Date(modified * 1000));
    else if (size === undefined && modified === undefined && !ignoresAttributes)
      throw new Refused(statuses.unsupported, 'Permissions and owners are not kept here.');
  }

  private async setSize(path: string, size: number): Promise<void> {
    const open = this.writtenAt(path);
    if (open) return open.writing.truncate(size);
    const { files } = this.session;
    if ((await files.find('stat', path, 'file')).size === size) return;
    const writing = await files.openWriting(path, { command: 'SETSTAT', existing: 'keep', create: false });
    const over = this.session.begins('SETSTAT', path, writing.progress);
    try {
      await writing.truncate(size).catch(() => {}); // told by its end
      asCommitted(await writing.commit());
    } finally {
      over();
    }
  }

  private async setHandleAttributes(handle: Handle, attributes: Attributes): Promise<void> {
    const { size, modified } = attributes;
    if (handle.kind !== 'write') {
      if (size !== undefined) throw new Refused(statuses.permissionDenied, 'It was not opened to be written.');
      return this.setAttributes(handle.path, attributes);
    }
    if (handle.ended) return this.setAttributes(handle.path, attributes);
    if (size !== undefined) await handle.writing.truncate(size);
    if (modified !== undefined) {
      handle.modified = new Date(modified * 1000);
      handle.writing.keepTime(handle.modified);
    }
  }

  // Files.

  private async open(id: number, reader: WireReader): Promise<void> {
    const path = this.filePath(reader.text());
    const flags = reader.uint32();
    const { modified } = readAttributes(reader);
    const has = (flag: number) => (flags & flag) !== 0;
    if (!this.session.takeHandle()) throw new Refused(statuses.failure, 'Too many files are open; close some.');
    let handle: Handle | undefined;
    try {
      handle = has(openFlags.write) ? await this.openToWrite(path, flags, modified) : await this.openToRead(path);
    } catch (error) {
      const refused = asRefused(error);
      if (refused.status !== statuses.noSuchFile) this.session.refused(has(openFlags.write) ? 'WRITE' : 'READ', path, refused.status);
      throw refused;
    } finally {
      if (!handle) this.session.giveHandleBack();
    }
    return this.opened(id, handle);
  }

  private async openToRead(path: string): Promise<Handle> {
    const reading = await this.session.files.openReading('READ', path);
    return { kind: 'read', path, reading, file: new ReadingFile(reading), over: this.session.begins('READ', path, reading.progress) };
  }

  private async openToWrite(path: string, flags: number, modified: number | undefined): Promise<Handle> {
    const has = (flag: number) => (flags & flag) !== 0;
    const existing =
      has(openFlags.exclusive) && has(openFlags.create) ? 'create' : has(openFlags.truncate) ? 'replace' : has(openFlags.append) ? 'append' : 'keep';
    const create = has(openFlags.create);
    if (existing === 'replace' && !create) await this.session.files.find('upload', path, 'file');
    const reads = has(openFlags.read);
    const writing = await this.session.files.openWriting(path, { command: 'WRITE', existing, create, read: reads });
    const time = modified === undefined ? undefined : new Date(modified * 1000);
    if (time) writing.keepTime(time);
    return { kind: 'write', path, writing, over: this.session.begins('WRITE', path, writing.progress), reads, modified: time };
  }

  private async read(id: number, reader: WireReader): Promise<void> {
    const handle = this.numbered(this.handleOf(reader));
    const [offset, length] = [reader.uint64(), reader.uint32()];
    const parts = await this.partsOf(handle, offset, Math.min(length, LARGEST_READ));
    const bytes = parts.reduce((sum, part) => sum + part.length, 0);
    if (bytes === 0 && length > 0) return this.status(id, statuses.eof, 'That is the end.');
    const header = Buffer.allocUnsafe(13);
    header.writeUInt32BE(9 + bytes, 0);
    header[4] = replies.data;
    header.writeUInt32BE(id, 5);
    header.writeUInt32BE(bytes, 9);
    await this.channel.send(header, ...parts);
  }

  private async partsOf(handle: Handle, offset: number, length: number): Promise<readonly Buffer[]> {
    if (handle.kind === 'read') return handle.file.read(offset, length);
    // Nothing is read ahead of a file that changes.
    const into = Buffer.allocUnsafe(length);
    return [into.subarray(0, await this.readingOf(handle).read(offset, into))];
  }

  /** By which a file can be read. */
  private readingOf(handle: Handle): Reading {
    if (handle.kind === 'read') return handle.reading;
    if (handle.kind !== 'write' || !handle.reads || handle.ended) throw new Refused(statuses.permissionDenied, 'It was not opened to be read.');
    handle.reading ??= handle.writing.openReading('READ');
    return handle.reading;
  }

  private writingOf(handle: Handle): Writing {
    if (handle.kind !== 'write') throw new Refused(statuses.permissionDenied, 'It was not opened to be written.');
    if (handle.ended) throw new Refused(statuses.failure, 'It was closed when it was renamed.');
    return handle.writing;
  }

  private async write(id: number, reader: WireReader): Promise<void> {
    const handle = this.numbered(this.handleOf(reader));
    const offset = reader.uint64();
    const bytes = reader.string();
    const writing = this.writingOf(handle);
    if (bytes.length > LARGEST_WRITE) throw new MalformedPacket();
    await writing.write(offset, bytes);
    return this.status(id, statuses.ok, '');
  }

  private async close(id: number, number: number): Promise<void> {
    const handle = this.numbered(number);
    this.handles.delete(number);
    // A session that goes down ends when the last of its transfers is over: the client has its answer by then.
    const end = async () => {
      if (handle.kind === 'folder') await endListing(handle);
      else if (handle.kind === 'read') await handle.file.close();
      else {
        await handle.reading?.close();
        if (!handle.ended) this.committed(handle, await handle.writing.commit());
      }
      return this.status(id, statuses.ok, 'Closed.');
    };
    return this.released(handle, () => this.answered(id, end));
  }

  private committed(handle: WriteHandle, outcome: Outcome): void {
    asCommitted(outcome);
    this.held.delete(handle.path);
    if (!outcome.held) return;
    this.held.set(handle.path, entryOf(handle));
    if (this.held.size > MOST_HELD) this.held.delete(this.held.keys().next().value!);
  }

  // Folders.

  private async openFolder(id: number, argument: string): Promise<void> {
    const path = this.path(argument);
    const { files } = this.session;
    const refusal = files.refusal('list');
    if (refusal !== undefined) {
      this.session.refused('OPENDIR', path, statuses.permissionDenied);
      throw new Refused(statuses.permissionDenied, refusal);
    }
    await files.enter(path);
    const batches = files.list(path)[Symbol.asyncIterator]();
    if (!this.session.takeHandle()) throw new Refused(statuses.failure, 'Too many files are open; close some.');
    const listing = files.openListing('READDIR', path);
    let conclude!: (error?: Error) => void;
    const ended = new Promise<void>((resolve, reject) => {
      conclude = (error) => (error ? reject(error) : resolve());
    });
    const told = listing.send(() => ended);
    const end: FolderHandle['end'] = (error) => {
      conclude(error);
      return told;
    };
    return this.opened(id, { kind: 'folder', path, batches, rest: [], listing, end });
  }

  private async readFolder(id: number, handle: Handle): Promise<void> {
    if (handle.kind !== 'folder') throw new Refused(statuses.failure, 'That is no folder.');
    while (handle.rest.length === 0) {
      const { done, value } = await handle.batches.next();
      if (done) return this.status(id, statuses.eof, 'That is all.');
      handle.rest = value;
    }
    const entries = handle.rest.slice(0, ENTRIES_AT_ONCE);
    handle.rest = handle.rest.slice(ENTRIES_AT_ONCE);
    const writer = new WireWriter(64 * 1024).uint32(0).byte(replies.name).uint32(id).uint32(entries.length);
    for (const entry of entries) writeAttributes(writer.string(entry.name).string(longName(entry)), entry);
    const packet = framed(writer);
    handle.listing.progress.bytes += packet.length;
    await this.channel.send(packet);
  }

  // Extensions.

  private async extended(id: number, reader: WireReader): Promise<void> {
    const name = reader.text();
    if (!isExtension(name)) throw new Refused(statuses.unsupported, 'That is not known here.');
    const act: Record<ExtensionName, () => Promise<void>> = {
      'posix-rename@openssh.com': () => this.rename(id, reader, true),
      'statvfs@openssh.com': async () => {
        await this.entryAt(reader.text());
        return this.space(id);
      },
      'fstatvfs@openssh.com': async () => {
        this.numbered(this.handleOf(reader));
        return this.space(id);
      },
      'fsync@openssh.com': async () => {
        const handle = this.numbered(this.handleOf(reader));
        if (handle.kind !== 'write') throw new Refused(statuses.failure, 'It was not opened to be written.');
        // Nothing of it is there before it is closed, and then all of it is safe: so it is always in step.
        return this.status(id, statuses.ok, 'Safe once it is closed.');
      },
      'lsetstat@openssh.com': () => this.setStat(id, reader), // there are no links
      'limits@openssh.com': async () => {
        const writer = new WireWriter().uint32(0).byte(replies.extended).uint32(id);
        await this.channel.send(framed(writer.uint64(LONGEST_PACKET).uint64(LARGEST_READ).uint64(LARGEST_WRITE).uint64(MOST_HANDLES)));
      },
      'copy-data': () => this.copyData(id, reader),
      'expand-path@openssh.com': () => this.name(id, this.path(reader.text().replace(/^~[^/]*\/?/, '/') || '/')),
    };
    return act[name]();
  }

  /** draft-ietf-secsh-filexfer-extensions-00, section 7. */
  private copyData(id: number, reader: WireReader): Promise<void> {
    const source = this.numbered(this.handleOf(reader));
    const [from, length] = [reader.uint64(), reader.uint64()];
    const target = this.numbered(this.handleOf(reader));
    const to = reader.uint64();
    return this.changed(id, 'COPY-DATA', target.path, async () => {
      if (source.path === target.path) throw new Refused(statuses.failure, 'A file can not be copied onto itself.');
      const [reading, writing] = [this.readingOf(source), this.writingOf(target)];
      const places = [
        { path: source.path, file: reading, offset: from },
        { path: target.path, file: writing, offset: to },
      ] as const;
      const copied = await this.session.files.copyData('COPY-DATA', ...places, length === 0 ? undefined : length);
      if (copied < length) throw new Refused(statuses.eof, 'The file ended before.');
    });
  }

  /** What is left for new files, as a file system would say it (PROTOCOL of OpenSSH, section 4.4). */
  private async space(id: number): Promise<void> {
    const block = 4_096;
    const free = Math.floor(((await this.session.files.available()) ?? 2 ** 50) / block);
    const writer = new WireWriter().uint32(0).byte(replies.extended).uint32(id);
    for (const value of [block, block, 2 ** 50 / block, free, free, 2 ** 32, 2 ** 32, 2 ** 32, 0, 0, 255]) writer.uint64(value);
    await this.channel.send(framed(writer));
  }

  // Replies.

  private async status(id: number, status: number, text: string): Promise<void> {
    await this.channel.send(statusReply(id, status, text));
  }

  private async attributes(id: number, entry: Pick<Entry, 'type' | 'size' | 'modified'>): Promise<void> {
    await this.channel.send(framed(writeAttributes(new WireWriter().uint32(0).byte(replies.attributes).uint32(id), entry)));
  }

  private async name(id: number, path: string): Promise<void> {
    await this.channel.send(framed(new WireWriter().uint32(0).byte(replies.name).uint32(id).uint32(1).string(path).string(path).uint32(0)));
  }

  // Handles.

  private async opened(id: number, handle: Handle): Promise<void> {
    const number = this.nextHandle;
    this.nextHandle += 1;
    this.handles.set(number, handle);
    await this.channel.send(framed(new WireWriter().uint32(0).byte(replies.handle).uint32(id).string(new WireWriter(4).uint32(number).done())));
  }

  private handleOf(reader: WireReader): number {
    const bytes = reader.string();
    return bytes.length === 4 ? bytes.readUInt32BE(0) : 0;
  }

  private numbered(number: number): Handle {
    const handle = this.handles.get(number);
    if (!handle) throw new Refused(statuses.failure, 'There is no such handle.');
    return handle;
  }
}

/** Handles that one session may have open, on all its channels together. */
export const MOST_HANDLES = 64;

/** What is known of a file that is being written. */
function entryOf({ path, writing, modified }: WriteHandle): Entry {
  return { name: posix.basename(path), type: 'file', size: writing.size, modified: modified ?? new Date() };
}

/** Throws where an upload did not end well. */
function asCommitted({ outcome, reason, error }: Outcome): void {
  if (outcome === 'success') return;
  const isDenied = error instanceof RefusedByScanner || asRefused(error).status === statuses.permissionDenied;
  throw new Refused(isDenied ? statuses.permissionDenied : statuses.failure, reason ?? 'The upload failed.');
}

async function endListing({ batches, end }: FolderHandle, error?: Error): Promise<void> {
  await batches.return?.();
  await end(error);
}
