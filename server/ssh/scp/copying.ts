/**
 * The old protocol of scp (BSD's rcp over SSH): `C0644 12 name` and the bytes for a file, `D0755 0 name` … `E` around a folder, `T` before either for
 * its times; each is answered by a zero, or by 1 or 2 and a line that says what was wrong.
 */
import { posix } from 'node:path';
import { type AccountFiles, StorageError } from '../../files/account-files';
import { isPattern, patternOf } from '../../files/glob';
import type { Progress } from '../../files/progress';
import { virtualPath } from '../../files/virtual-path';
import type { Slice } from '../../limits/slice';
import type { Channel } from '../connection/channel';
import { asRefused } from '../sftp/protocol';
import { ReadingFile } from '../sftp/reading-file';
import type { ScpCommand } from './command';
import { IncomingStream } from './stream';

const OK = Buffer.from([0]);
const LONGEST_LINE = 4_096;
const PIECE = 128 * 1_024;
/** Folders below folders. */
const DEEPEST = 100;

/** What of its session a copy uses. */
export interface CopyingSession {
  readonly files: AccountFiles;
  /** What the connection may take of the event loop. */
  readonly slice: Slice;
  begins(command: string, path: string, progress: Progress): () => void;
}

/** The other end has said that it can't go on. */
class TheyGaveUp extends Error {}

export class Copying {
  readonly incoming: IncomingStream;
  private failures = 0;

  constructor(
    private readonly channel: Channel,
    private readonly session: CopyingSession,
    private readonly command: ScpCommand,
  ) {
    this.incoming = new IncomingStream(channel, () => {});
  }

  /** Copies, and closes the channel with what scp exits with. Never rejected. */
  async run(): Promise<void> {
    try {
      if (this.command.way === 'to') await this.receiveAll(virtualPath('/', this.command.paths[0]!));
      else await this.sendAll();
    } catch {
      this.failures += 1; // the client left, gave up, or can't be understood: there is nobody to tell
    }
    this.channel.close(this.failures === 0 ? 0 : 1);
  }

  // From the client.

  private async receiveAll(target: string): Promise<void> {
    const { files } = this.session;
    const isFolder = await this.isFolder(target);
    if (this.command.mustBeFolder && !isFolder) {
      await this.complain(`${target}: no such folder`, 2);
      return;
    }
    await this.channel.send(OK);
    const folders: string[] = [];
    let times: Date | undefined;
    for (;;) {
      const line = await this.nextLine();
      if (line === undefined) return;
      const folder = folders.at(-1);
      if (/^T\d+ \d+ \d+ \d+$/.test(line)) {
        times = new Date(Number(line.slice(1).split(' ')[0]) * 1000);
        await this.channel.send(OK);
        continue;
      }
      if (line === 'E' && folder !== undefined) {
        folders.pop();
        await this.channel.send(OK);
        continue;
      }
      const [, kind, digits, name] = /^([CD])[0-7]{4} (\d{1,16}) ([^/]+)$/.exec(line) ?? [];
      if (kind === undefined || name === '.' || name === '..') return this.complain('that is not understood', 2);
      const into = folder ?? target;
      const path = folder !== undefined || isFolder ? virtualPath(into, name!) : target;
      if (kind === 'D') {
        if (!this.command.recursive || folders.length >= DEEPEST) return this.complain('folders are not taken', 2);
        try {
          if (!(await this.isFolder(path))) await files.makeFolder('SCP', path);
        } catch (error) {
          return this.complain(`${path}: ${asRefused(error).message}`, 2);
        }
        folders.push(path);
        await this.channel.send(OK);
      } else await this.receive(path, Number(digits), this.command.times ? times : undefined);
      times = undefined;
    }
  }

  private async nextLine(): Promise<string | undefined> {
    if (this.session.slice.isUsedUp) await this.session.slice.next();
    try {
      return await this.incoming.line(LONGEST_LINE);
    } catch {
      return undefined;
    }
  }

  private async receive(path: string, size: number, times: Date | undefined): Promise<void> {
    const { files } = this.session;
    let writing: Awaited<ReturnType<AccountFiles['openWriting']>>;
    try {
      writing = await files.openWriting(path, { command: 'SCP', existing: 'replace' });
    } catch (error) {
      return this.complain(`${path}: ${asRefused(error).message}`, 1);
    }
    const over = this.session.begins('SCP', path, writing.progress);
    try {
      await this.channel.send(OK);
      let wrong: string | undefined;
      for (let at = 0; at < size; ) {
        const bytes = await this.incoming.take(size - at);
        if (wrong === undefined)
          await writing.write(at, bytes).catch((error: unknown) => {
            wrong = asRefused(error).message;
          });
        at += bytes.length;
      }
      const [status] = await this.incoming.take(1);
      if (status !== 0) await this.nextLine(); // the client could not read all of it, and says so
      if (times) writing.keepTime(times);
      const { outcome, reason } = status === 0 && wrong === undefined ? await writing.commit() : await writing.abort();
      if (outcome === 'success') await this.channel.send(OK);
      else await this.complain(`${path}: ${wrong ?? reason ?? 'it was not sent whole'}`, 1);
    } catch (error) {
      await writing.abort();
      throw error;
    } finally {
      over();
    }
  }

  // To the client.

  private async sendAll(): Promise<void> {
    await this.answer();
    for (const wanted of this.command.paths) {
      const path = virtualPath('/', wanted === '' ? '.' : wanted);
      try {
        for (const one of await this.matching(path)) await this.sendEntry(one, 0);
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
        await this.complain(`${path}: ${error.message}`, 1);
      }
    }
  }

  /** What a pattern in the last name stands for; the path itself where it is none. */
  private async matching(path: string): Promise<readonly string[]> {
    const [folder, pattern] = [posix.dirname(path), posix.basename(path)];
    if (!isPattern(pattern)) return [path];
    const fits = patternOf(pattern);
    const found: string[] = [];
    for await (const batch of this.session.files.list(folder))
      found.push(...batch.filter(({ name }) => fits(name)).map(({ name }) => posix.join(folder, name)));
    return found.length > 0 ? found.sort() : [path];
  }

  private async sendEntry(path: string, depth: number): Promise<void> {
    const { files } = this.session;
    const entry = await files.find('stat', path);
    const name = posix.basename(path) || '.';
    if (entry.type === 'file') return this.sendFile(path, name, entry.modified);
    if (!this.command.recursive || depth >= DEEPEST) return this.complain(`${path}: not a regular file`, 1);
    if (this.command.times) await this.sendTimes(entry.modified);
    await this.line(`D0755 0 ${name}`);
    for await (const batch of files.list(path))
      for (const one of batch)
        await this.sendEntry(posix.join(path, one.name), depth + 1).catch((error: unknown) => {
          if (!(error instanceof StorageError)) throw error;
          return this.complain(`${posix.join(path, one.name)}: ${error.message}`, 1);
        });
    await this.line('E');
  }

  private async sendFile(path: string, name: string, modified: Date): Promise<void> {
    const reading = await this.session.files.openReading('SCP', path);
    const file = new ReadingFile(reading);
    const over = this.session.begins('SCP', path, reading.progress);
    try {
      if (this.command.times) await this.sendTimes(modified);
      await this.line(`C0644 ${file.size} ${name}`);
      for (let at = 0; at < file.size; ) {
        const parts = await file.read(at, PIECE);
        const length = parts.reduce((sum, part) => sum + part.length, 0);
        if (length === 0 || !(await this.channel.send(...parts))) throw new TheyGaveUp();
        at += length;
      }
      await this.channel.send(OK);
      await this.answer();
      await file.close();
    } catch (error) {
      await file.abort();
      throw error;
    } finally {
      over();
    }
  }

  private async sendTimes(modified: Date): Promise<void> {
    const seconds = Math.max(0, Math.floor(modified.getTime() / 1000));
    await this.line(`T${seconds} 0 ${seconds} 0`);
  }

  private async line(text: string): Promise<void> {
    await this.channel.send(Buffer.from(`${text}\n`));
    await this.answer();
  }

  /** Waits for the zero that lets this end go on. */
  private async answer(): Promise<void> {
    const [status] = await this.incoming.take(1);
    if (status === 0) return;
    await this.nextLine();
    this.failures += 1;
    throw new TheyGaveUp();
  }

  private async complain(text: string, severity: 1 | 2): Promise<void> {
    this.failures += 1;
    await this.channel.send(Buffer.concat([Buffer.from([severity]), Buffer.from(`scp: ${text.replaceAll('\n', ' ')}\n`)]));
  }

  private async isFolder(path: string): Promise<boolean> {
    if (!this.session.files.maySee(path)) return path === '/';
    return this.session.files.find('stat', path, 'directory').then(
      ({ type }) => type === 'directory',
      () => false,
    );
  }
}
