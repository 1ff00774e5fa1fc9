/**
 * A file that a client writes at offsets of its own (SFTP). What comes in order streams to the storage, past hash and scanner, as any upload does. A client
 * that does anything else with it, be it in the middle of that, has a draft of it from then on, which is hashed, scanned and put into place as a whole when
 * the client closes it.
 */
import { paceOf } from '../limits/bandwidth';
import type { Reading, Writing, WritingOptions } from './account-files';
import { EarlyPieces } from './early-pieces';
import { FromDraft } from './from-draft';
import { Incoming, type IncomingPlace } from './incoming';
import { OldFile } from './old-file';
import type { Outcome } from './outcome';
import { RandomReading } from './outgoing';
import { Progress } from './progress';
import { Promised } from './promised';
import { Pushed } from './pushed';
import { type Draft, type DraftableHandle, type Entry, type ReadHandle, StorageError, type Volume, type WriteMode } from './storage/storage';
import { runTransfer, type TransferResult } from './transfer';

export interface WritingPlace extends Omit<IncomingPlace, 'target' | 'progress' | 'isPaced'> {
  readonly volume: Volume;
  /** Throws where the account may not read. */
  readonly needRead: () => void;
}

/** Size in which an old file is copied. Bytes. */
const PIECE = 256 * 1024;
/** Files beyond that are copied and hashed by turns. Bytes. */
const LARGE = 16 * 1024 * 1024;

/** Ends the stream of an upload that becomes a draft. */
class BecomesDraft extends Error {}

export class OffsetWriting implements Writing {
  readonly progress = new Progress();
  private phase: 'opened' | 'streaming' | 'draft' = 'opened';
  /** How long the file is, as the client has made it. */
  private length: number;
  /** How much of the old file is still meant, where nothing else was written. */
  private base = 0;
  private readonly old: OldFile | undefined;
  /** The first byte that the client wrote. */
  private first = 0;
  /** Where the next byte in order belongs. */
  private at = 0;
  private readonly early = new EarlyPieces();
  private draft: Draft | undefined;
  private time: Date | undefined;
  /** Whether the end of the old file was put behind what was written: the hash is of more than what the client sent. */
  private hasTail = false;
  private failure: Error | undefined;
  /** Bytes before what the client writes, of which it may not know how many they are. */
  private readonly hidden: number | undefined;
  private last: Promise<unknown> = Promise.resolve();

  private readonly source = new Pushed();
  /** What the storage was opened with; nothing where the file stays as it was. */
  private readonly begun = new Promised<DraftableHandle | undefined>();
  private readonly drafted = new Promised<Draft>();
  private readonly closed = new Promised<void>();
  private readonly outcome: Promise<Outcome>;
  /** Gives back what the upload holds. */
  private undo: () => Promise<void> = async () => {};

  /** `target`: where it is known already what is kept; else `there` is the file of which the rest stays. */
  constructor(
    private readonly place: WritingPlace,
    private readonly options: WritingOptions,
    opened: { readonly target: DraftableHandle } | { readonly there: Entry },
  ) {
    const { progress } = this;
    if ('there' in opened) {
      this.base = opened.there.size;
      this.length = this.base;
      this.old = new OldFile(place.volume, place.path, this.base);
    } else {
      this.length = opened.target.size;
      if (place.isAddition) this.hidden = this.length;
      this.begin(Promise.resolve(opened.target), this.length);
    }
    progress.signal.addEventListener('abort', () => this.fail(progress.signal.reason as Error), { once: true });
    this.outcome = runTransfer(
      {
        kind: 'upload',
        command: options.command,
        path: place.path,
        offset: () => this.first,
        progress,
        act: () => this.act(),
        undo: async () => {
          await this.source.letGo();
          await this.undo();
        },
      },
      place.parts,
      place.asker.facts,
    ).finally(() => this.old?.close().catch(() => {}));
    void this.outcome.then(({ error }) => this.drafted.break(error));
  }

  get size(): number {
    return this.length - (this.hidden ?? 0);
  }

  write(offset: number, bytes: Buffer): Promise<void> {
    return this.inTurn(() => this.writeNow(offset, bytes));
  }

  truncate(size: number): Promise<void> {
    if (this.hidden !== undefined) return Promise.reject(new StorageError('denied', 'This account may add to the file, and not cut it.'));
    return this.inTurn(() => this.truncateNow(size));
  }

  keepTime(modified: Date): void {
    this.time = modified;
  }

  openReading(command: string): Reading {
    const { parts, asker, path, needRead } = this.place;
    needRead();
    return new RandomReading({ parts, asker, command, path, source: this.asSource() });
  }

  async commit(): Promise<Outcome> {
    await this.last;
    if (!this.failure) await this.close().catch((error: Error) => this.fail(error));
    return this.outcome;
  }

  abort(): Promise<Outcome> {
    this.progress.abort();
    return this.outcome;
  }

  /** One after the other. What fails ends the upload: who asked for it is told, and so is everybody after. */
  private inTurn<T>(act: () => Promise<T>): Promise<T> {
    const done = this.last.then(() => {
      if (this.failure) throw this.failure;
      return act();
    });
    this.last = done.catch((error: Error) => this.fail(error));
    return done;
  }

  private fail(error: Error): void {
    this.failure ??= error;
    this.begun.break(error);
    this.source.fail(error);
    this.closed.break(error);
  }

  // What becomes of the upload as a whole.

  private async act(): Promise<TransferResult> {
    const target = await this.begun.promise;
    if (!target) return {};
    const incoming = new Incoming({ ...this.place, target, progress: this.progress });
    this.undo = () => incoming.abort();
    const streamed = await incoming
      .take(async () => this.source)
      .catch((error: unknown) => {
        if (!(error instanceof BecomesDraft)) throw error;
      });
    if (streamed) {
      const { sha256, ...result } = streamed;
      await this.setTime(result);
      return this.hasTail ? result : streamed;
    }
    incoming.leave();
    this.undo = () => target.abort();
    const draft = await target.toDraft();
    this.undo = () => draft.abort();
    this.first = 0;
    this.drafted.keep(draft);
    await this.closed.promise;
    return this.inTurns(draft.size, () => this.settle(draft));
  }

  /** The draft goes the way of an upload. */
  private async settle(draft: Draft): Promise<TransferResult> {
    const { signal } = this.progress;
    signal.throwIfAborted();
    const target = await draft.settle();
    const progress = new Progress(); // the client has sent all of it already
    const incoming = new Incoming({ ...this.place, target, progress, isPaced: true });
    this.undo = () => incoming.abort();
    signal.addEventListener('abort', () => progress.abort(), { once: true });
    const result = await incoming.take(async () => new FromDraft(draft));
    await this.setTime(result);
    return result;
  }

  private async setTime({ held }: TransferResult): Promise<void> {
    if (this.time && !held) await this.place.volume.setModified(this.place.path, this.time).catch(() => {}); // the file is there all the same
  }

  private async inTurns<T>(bytes: number, act: () => Promise<T>): Promise<T> {
    if (bytes <= LARGE) return act();
    const giveBack = await this.place.parts.drafts.take(this.place.asker.account.user, this.progress.signal);
    try {
      return await act();
    } finally {
      giveBack();
    }
  }

  // What the client does with it.

  private begin(target: Promise<DraftableHandle>, first: number): void {
    this.phase = 'streaming';
    this.first = first;
    this.at = first;
    this.begun.keep(target);
  }

  /** The first write says where writing begins: what lies before it is kept. */
  private beginAt(offset: number): void {
    const from = Math.min(offset, this.base);
    this.begin(this.openFrom(from), from);
  }

  private async openFrom(offset: number): Promise<DraftableHandle> {
    if (offset === 0) return this.open({ kind: 'replace' });
    try {
      return await this.open({ kind: 'resume', offset });
    } catch (error) {
      if (!(error instanceof StorageError) || error.code !== 'unsupported') throw error;
      // A storage that takes files only as a whole is given a whole one.
      this.at = 0;
      this.first = 0;
      return this.open({ kind: 'replace' });
    }
  }

  private open(mode: WriteMode): Promise<DraftableHandle> {
    return this.place.volume.openDraftable(this.place.path, mode, { whole: this.options.read === true });
  }

  private async writeNow(wanted: number, bytes: Buffer): Promise<void> {
    const offset = this.options.existing === 'append' ? this.length : wanted;
    const end = offset + bytes.length;
    if (bytes.length === 0) return;
    if (this.phase === 'opened') this.beginAt(offset);
    if (this.phase === 'streaming' && (await this.streams(offset, bytes))) {
      this.length = Math.max(this.length, end);
      return;
    }
    const draft = await this.becomeDraft();
    const { parts, asker } = this.place;
    const { signal } = this.progress;
    await paceOf(parts.bandwidth, parts.config.limits.bandwidth, asker.account, 'upload')?.before(bytes.length, signal);
    signal.throwIfAborted();
    await draft.write(offset, bytes);
    this.progress.bytes += bytes.length;
    this.length = Math.max(this.length, end);
  }

  /** Whether the bytes went on in the stream, or wait for their turn in it. */
  private async streams(offset: number, bytes: Buffer): Promise<boolean> {
    await this.flowing();
    if (offset !== this.at) return offset > this.at && this.early.keep(offset, bytes);
    if (this.early.holdsAny(offset, offset + bytes.length)) return false;
    await this.push(bytes);
    for (let next = this.early.take(this.at); next; next = this.early.take(this.at)) await this.push(next);
    return true;
  }

  private async flowing(): Promise<void> {
    await this.source.flows;
    if (this.source.isOver) throw (await this.outcome).error;
  }

  private async push(bytes: Buffer): Promise<void> {
    await this.source.push(bytes);
    if (this.source.isOver) throw (await this.outcome).error;
    this.at += bytes.length;
  }

  private async truncateNow(size: number): Promise<void> {
    if (this.phase === 'streaming') {
      await this.flowing();
      if (size < this.at || this.early.holdsAny(size, Number.POSITIVE_INFINITY)) await this.becomeDraft();
    }
    if (this.phase === 'draft') await (await this.becomeDraft()).truncate(size);
    else this.base = Math.min(this.base, size);
    this.length = size;
  }

  /** From now on the file is written anywhere. Nothing of what was streamed, or waits, is lost. */
  private async becomeDraft(): Promise<Draft> {
    if (this.draft) return this.draft;
    this.phase = 'draft';
    this.source.end(new BecomesDraft());
    const draft = await this.drafted.promise;
    await this.inTurns(this.base - this.at, async () => {
      if (this.old)
        for await (const piece of this.old.between(this.at, this.base, PIECE)) {
          this.progress.signal.throwIfAborted();
          await draft.write(draft.size, piece);
        }
    });
    for (const [offset, bytes] of this.early.all()) await draft.write(offset, bytes);
    this.early.clear();
    if (this.length > draft.size) await draft.truncate(this.length);
    this.draft = draft;
    return draft;
  }

  /** What is there is what the client wants. */
  private async close(): Promise<void> {
    if (this.phase === 'opened') {
      if (this.base === this.old!.size && this.length === this.base) return this.begun.keep(undefined);
      this.beginAt(this.base);
    }
    if (this.phase === 'streaming') {
      await this.source.flows;
      if (this.source.isOver) return;
      if (this.early.isEmpty && this.length <= Math.max(this.at, this.base)) {
        await this.keepRest();
        return this.source.end();
      }
      await this.becomeDraft();
    }
    this.closed.keep();
  }

  /** Puts the end of the old file behind what was written. */
  private async keepRest(): Promise<void> {
    if (!this.old || this.at >= this.base) return;
    this.hasTail = true;
    for await (const piece of this.old.between(this.at, this.base, PIECE)) {
      await this.push(piece);
    }
  }

  // What the client reads of it.

  private asSource(): ReadHandle {
    const writing = this;
    let position = 0;
    return {
      get size() {
        return writing.length;
      },
      async read(into) {
        const filled = await writing.inTurn(() => writing.readNow(position, into));
        position += filled;
        return filled;
      },
      async seek(offset) {
        position = offset;
      },
      async close() {},
    };
  }

  private async readNow(offset: number, into: Buffer): Promise<number> {
    if (this.phase !== 'opened') return (await this.becomeDraft()).read(offset, into);
    const wanted = into.subarray(0, Math.max(0, this.length - offset));
    if (offset < this.base) return this.old!.read(offset, wanted.subarray(0, this.base - offset));
    return wanted.fill(0).length;
  }
}
