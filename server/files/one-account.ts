/** One account's files in a storage. */
import type { Permission } from '../config';
import { type Pace, paceOf } from '../limits/bandwidth';
import type { AccountFiles, Asker, CopyPlace, Download, Listing, Reading, Upload, Writing, WritingOptions } from './account-files';
import { copyPieces } from './copy-data';
import { type HashAlgorithm, hashOfFile } from './hash';
import { StreamedUpload } from './incoming';
import { RandomReading, WholeDownload } from './outgoing';
import { OwnUploads } from './own-uploads';
import type { FilesParts } from './parts';
import { lacking, maySee, type Operation } from './permissions';
import { Progress } from './progress';
import { removeTree } from './remove-tree';
import { type Entry, StorageError, type Volume, type WriteMode } from './storage/storage';
import { runTransfer } from './transfer';
import { OffsetWriting } from './writing';

/** To an account that may neither list nor read, whether the file is there or not. */
const NOT_SEEN = 'This account may not see files, but those that it uploaded in this session.';

/** What tells of a file that it is there, and how large and old it is. */
const TELLING: readonly Operation[] = ['stat', 'set-time'];

export class OneAccount implements AccountFiles {
  private readonly uploads = new OwnUploads();

  constructor(
    private readonly parts: FilesParts,
    private readonly asker: Asker,
    private readonly volume: Volume,
  ) {}

  private get permissions(): readonly Permission[] {
    return this.asker.account.permissions;
  }

  get downloadPace(): Pace | undefined {
    return paceOf(this.parts.bandwidth, this.parts.config.limits.bandwidth, this.asker.account, 'download');
  }

  refusal(operation: Operation): string | undefined {
    return lacking(operation, this.permissions);
  }

  private need(operation: Operation): void {
    const refused = this.refusal(operation);
    if (refused !== undefined) throw new StorageError('denied', refused);
  }

  maySee(path?: string): boolean {
    return maySee(this.permissions) || (path !== undefined && this.uploads.has(path));
  }

  async find(operation: Operation, path: string, preferred?: Entry['type']): Promise<Entry> {
    this.need(operation);
    if (TELLING.includes(operation) && !this.maySee(path)) throw new StorageError('denied', NOT_SEEN);
    return this.volume.stat(path, preferred);
  }

  async enter(path: string): Promise<void> {
    const entry = await this.volume.stat(path, 'directory').catch((error: unknown) => {
      throw this.maySee() ? error : noFolder();
    });
    if (entry.type !== 'directory') throw this.maySee() ? new StorageError('not-directory', 'Not a directory.') : noFolder();
  }

  list(path: string): AsyncIterable<readonly Entry[]> {
    this.need('list');
    return this.volume.list(path);
  }

  async makeFolder(command: string, path: string): Promise<void> {
    this.need('make-folder');
    await this.volume.mkdir(path);
    this.changed(command, path);
  }

  async removeFolder(command: string, path: string): Promise<void> {
    this.need('remove-folder');
    await this.volume.rmdir(path);
    this.changed(command, path);
  }

  async remove(command: string, path: string): Promise<void> {
    this.need('remove');
    await this.volume.remove(path);
    this.changed(command, path);
  }

  async removeTree(
    commands: { readonly file: string; readonly folder: string },
    path: string,
    { most, signal }: { readonly most: number; readonly signal: AbortSignal },
  ): Promise<{ readonly removed: number; readonly isAll: boolean }> {
    this.need('remove');
    this.need('list');
    if (path === '/') throw new StorageError('denied', 'The top folder stays where it is.');
    await this.enter(path);
    const giveBack = await this.parts.trees.take(this.asker.account.user, signal);
    try {
      return await removeTree(path, {
        volume: this.volume,
        most,
        signal,
        removed: (one, type) => this.changed(type === 'file' ? commands.file : commands.folder, one),
      });
    } finally {
      giveBack();
    }
  }

  async rename(command: string, from: string, to: string, { replace, signal }: { readonly replace: boolean; readonly signal?: AbortSignal }): Promise<void> {
    this.need('rename');
    const outcome = await this.volume.rename(from, to, { replace: replace && this.permissions.includes('write'), signal });
    this.uploads.renamed(from, to);
    this.changed(command, from, { renamedTo: to, replaced: outcome === 'replaced' || undefined });
  }

  async setModified(command: string, path: string, time: Date): Promise<Entry> {
    this.need('set-time');
    if (!this.maySee(path)) throw new StorageError('denied', NOT_SEEN);
    await this.volume.setModified(path, time);
    this.changed(command, path);
    return this.volume.stat(path);
  }

  async available(): Promise<number | undefined> {
    this.need('available');
    return this.volume.available();
  }

  async hash(path: string, algorithm: HashAlgorithm, progress: Progress): Promise<{ readonly hex: string; readonly size: number }> {
    this.need('hash');
    const source = await this.volume.openRead(path, 0);
    const hex = await hashOfFile(source, algorithm, progress, { turns: this.parts.hashing, owner: this.asker.account.user, pace: this.downloadPace });
    return { hex, size: source.size };
  }

  openListing(command: string, path: string): Listing {
    this.need('list');
    const { facts } = this.asker;
    const progress = new Progress();
    const send = (act: () => Promise<void>) =>
      runTransfer(
        {
          kind: 'listing',
          command,
          path,
          offset: () => 0,
          progress,
          act: async () => {
            await act();
            return {};
          },
          undo: async () => {},
        },
        this.parts,
        facts,
      );
    return { progress, send };
  }

  async openDownload(command: string, path: string, offset: number, length?: number): Promise<Download> {
    this.need('download');
    const { parts, asker } = this;
    return new WholeDownload({ parts, asker, command, path, source: await this.volume.openRead(path, offset) }, offset, length);
  }

  async openReading(command: string, path: string): Promise<Reading> {
    this.need('download');
    const { parts, asker } = this;
    return new RandomReading({ parts, asker, command, path, source: await this.volume.openRead(path, 0) });
  }

  async openUpload(command: string, path: string, mode: WriteMode): Promise<Upload> {
    this.need('upload');
    // How far it may go on would tell how long the file is.
    if (mode.kind === 'resume' && !this.maySee(path)) throw new StorageError('offset', 'This account may only go on with what it uploaded in this session.');
    const { parts, asker, uploads } = this;
    const target = await this.volume.openWrite(path, mode);
    const isAddition = this.addsToOthers(path, mode.kind);
    return new StreamedUpload({ parts, asker, uploads, command, path, target, isAddition, progress: new Progress() }, mode.kind === 'resume' ? mode.offset : 0);
  }

  async openWriting(path: string, options: WritingOptions): Promise<Writing> {
    this.need('upload');
    // Whether it is there would be told.
    if (options.create === false && !this.maySee(path)) throw new StorageError('denied', NOT_SEEN);
    const { parts, asker, uploads, volume } = this;
    const isAddition = this.addsToOthers(path, options.existing);
    const place = { parts, asker, uploads, volume, path, isAddition, needRead: () => this.need('download') };
    const there = options.existing === 'keep' || options.create === false ? await this.fileAt(path) : undefined;
    if (!there && options.create === false) throw new StorageError('not-found', 'No such file or directory.');
    // Who may not see what is there can't mean a part of it.
    if (options.existing === 'keep' && there && this.maySee(path)) return new OffsetWriting(place, options, { there });
    const kind = options.existing === 'keep' ? 'replace' : options.existing;
    try {
      return new OffsetWriting(place, options, { target: await volume.openDraftable(path, { kind }, { whole: options.read === true }) });
    } catch (error) {
      // A storage that takes files only as a whole.
      if (kind !== 'append' || !(error instanceof StorageError) || error.code !== 'unsupported' || !this.maySee(path)) throw error;
      return new OffsetWriting(place, options, { there: await this.find('upload', path, 'file') });
    }
  }

  async copyData(command: string, from: CopyPlace<Reading>, to: CopyPlace<Writing>, length?: number): Promise<number> {
    this.need('download');
    this.need('upload');
    const copied = await copyPieces(from, to, length);
    this.changed(command, to.path);
    return copied;
  }

  /** Whether more comes behind what others put there, as far as the account may know. */
  private addsToOthers(path: string, how: string): boolean {
    return how === 'append' && !this.maySee(path);
  }

  private async fileAt(path: string): Promise<Entry | undefined> {
    const there = await this.volume.stat(path).catch((error: unknown) => {
      if (error instanceof StorageError && error.code === 'not-found') return undefined;
      throw error;
    });
    if (there?.type === 'directory') throw new StorageError('is-directory', 'That is a directory.');
    return there;
  }

  /** Reports what changed something. */
  private changed(command: string, path: string, more?: { readonly renamedTo: string; readonly replaced?: true }): void {
    this.parts.audit.record({ kind: 'command', command, code: this.asker.doneCode, path, ...more, ...this.asker.facts });
  }
}

function noFolder(): StorageError {
  return new StorageError('not-found', 'No such folder.');
}
