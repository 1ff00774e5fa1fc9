/** A file that a client writes at offsets of its own (SFTP): what comes in order streams to the storage as any upload does. */
import type { Writing, WritingOptions } from './account-files';
import { Incoming, type IncomingPlace } from './incoming';
import type { Outcome } from './outcome';
import { Progress } from './progress';
import type { Sink, Source } from './source';
import { type Entry, StorageError, type Volume, type WriteHandle, type WriteMode } from './storage/storage';
import { runTransfer } from './transfer';

/** What came too early is kept up to so many bytes, until what belongs before it comes. Clients that send ahead may be answered out of order. */
const MOST_EARLY = 4 * 1024 * 1024;

export interface WritingPlace extends Omit<IncomingPlace, 'target' | 'progress'> {
  readonly volume: Volume;
}

/** Size in which the end of an old file is copied. Bytes. */
const PIECE = 256 * 1024;

/** What is pushed, as a source. */
class Pushed implements Source {
  private sink: Sink | undefined;
  private goOn: (() => void) | undefined;
  private announceFlow!: () => void;
  /** Fulfilled when bytes can be pushed, or never will be. */
  readonly flows = new Promise<void>((resolve) => {
    this.announceFlow = resolve;
  });
  isOver = false;

  flowInto(sink: Sink): void {
    this.sink = sink;
    this.announceFlow();
  }

  /** Fulfilled when the bytes are taken. */
  async push(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length && !this.isOver; ) {
      const taken = bytes.copy(this.sink!.space(), 0, at);
      at += taken;
      if (this.sink!.took(taken)) continue;
      await new Promise<void>((resolve) => {
        this.goOn = resolve;
      });
    }
  }

  end(): void {
    this.sink?.end();
  }

  fail(error: Error): void {
    this.sink?.fail(error);
  }

  resume(): void {
    this.goOn?.();
    this.goOn = undefined;
  }

  async letGo(): Promise<void> {
    this.isOver = true;
    this.announceFlow();
    this.resume();
  }
}

export class OffsetWriting implements Writing {
  readonly progress = new Progress();
  private readonly source = new Pushed();
  private readonly outcome: Promise<Outcome>;
  /** Fulfilled when the storage knows what of the old file is kept; with nothing where the file stays as it was. */
  private begin!: (target: Promise<WriteHandle | undefined>) => void;
  private hasBegun = false;
  private first = 0;
  /** Where the next byte in order belongs. */
  private at = 0;
  private readonly early = new Map<number, Buffer>();
  private earlyBytes = 0;
  private last: Promise<unknown> = Promise.resolve();
  private time: Date | undefined;

  /** `target`: where it is known already what is kept; else `there` is the file of which the rest stays. */
  constructor(
    private readonly place: WritingPlace,
    private readonly options: WritingOptions,
    private readonly opened: { readonly target: WriteHandle } | { readonly there: Entry },
  ) {
    const { parts, asker, path } = place;
    const { progress } = this;
    const beginning = new Promise<WriteHandle | undefined>((resolve) => {
      this.begin = resolve;
    });
    let incoming: Incoming | undefined;
    this.outcome = runTransfer(
      {
        kind: 'upload',
        command: options.command,
        path,
        offset: () => this.first,
        progress,
        act: async () => {
          const target = await beginning;
          if (!target) return {};
          incoming = new Incoming({ ...place, target, progress });
          const { sha256, ...result } = await incoming.take(async () => this.source);
          if (this.time && !result.held) await place.volume.setModified(path, this.time).catch(() => {}); // the file is there all the same
          return this.tail ? result : { ...result, sha256 };
        },
        undo: async () => {
          await this.source.letGo();
          await incoming?.abort();
        },
      },
      parts,
      asker.facts,
    );
    if ('target' in opened) this.beginWith(Promise.resolve(opened.target), options.existing === 'append' ? opened.target.size : 0);
  }

  /** Whether the end of the old file was put behind what was written: the hash is of more than what the client sent. */
  private tail = false;

  private beginWith(target: Promise<WriteHandle | undefined>, first: number): void {
    this.hasBegun = true;
    this.first = first;
    this.at = first;
    this.begin(target);
  }

  write(offset: number, bytes: Buffer): Promise<void> {
    const writing = this.last.then(() => this.writeNow(offset, bytes));
    this.last = writing.catch(() => {}); // who asked for it is told
    return writing;
  }

  private async writeNow(wanted: number, bytes: Buffer): Promise<void> {
    const offset = this.options.existing === 'append' ? this.at : wanted;
    if (!this.hasBegun) this.beginAt(offset);
    await this.source.flows;
    if (offset < this.at) throw this.giveUp('Bytes that were written already can not be written again here; send the file in order.');
    if (offset > this.at) return this.keepEarly(offset, bytes);
    await this.push(bytes);
    for (let next = this.early.get(this.at); next; next = this.early.get(this.at)) {
      this.early.delete(this.at);
      this.earlyBytes -= next.length;
      await this.push(next);
    }
  }

  private async push(bytes: Buffer): Promise<void> {
    await this.source.push(bytes);
    if (this.source.isOver) throw (await this.outcome).error;
    this.at += bytes.length;
  }

  private keepEarly(offset: number, bytes: Buffer): void {
    this.earlyBytes += bytes.length;
    if (this.earlyBytes > MOST_EARLY) throw this.giveUp('A file must be sent in order here; too much came before its turn.');
    this.early.set(offset, Buffer.from(bytes));
  }

  /** The first write says where writing begins: what lies before it is kept. */
  private beginAt(offset: number): void {
    const { volume, path } = this.place;
    const { size } = (this.opened as { readonly there: Entry }).there;
    if (offset > size) throw this.giveUp(`The file has ${size} bytes; nothing can be written beyond its end.`);
    const mode: WriteMode = offset === 0 ? { kind: 'replace' } : { kind: 'resume', offset };
    this.beginWith(volume.openWrite(path, mode), offset);
  }

  /** Ends an upload that can't go on. */
  private giveUp(message: string): StorageError {
    const error = new StorageError('unsupported', message);
    this.fail(error);
    return error;
  }

  private fail(error: Error): void {
    if (this.hasBegun) this.source.fail(error);
    else this.beginWith(Promise.reject(error), 0);
  }

  keepTime(modified: Date): void {
    this.time = modified;
  }

  async commit(): Promise<Outcome> {
    await this.last;
    if (!this.hasBegun) this.beginWith(Promise.resolve(undefined), 0);
    else {
      await this.source.flows;
      if (this.early.size > 0) this.giveUp('A part of the file was never sent.');
      await this.keepRest().catch((error: Error) => this.fail(error));
      this.source.end();
    }
    return this.outcome;
  }

  /** Puts the end of the old file behind what was written. */
  private async keepRest(): Promise<void> {
    if (!('there' in this.opened) || this.source.isOver || this.at >= this.opened.there.size) return;
    this.tail = true;
    const { size } = this.opened.there;
    const old = await this.place.volume.openRead(this.place.path, this.at);
    try {
      if (old.size !== size) throw new StorageError('unavailable', 'The file was changed by somebody else meanwhile; try again.');
      const piece = Buffer.allocUnsafe(PIECE);
      for (let filled = await old.read(piece); filled > 0; filled = await old.read(piece)) await this.push(piece.subarray(0, filled));
    } finally {
      await old.close();
    }
  }

  abort(): Promise<Outcome> {
    this.progress.abort();
    this.fail(this.progress.signal.reason as Error);
    return this.outcome;
  }
}
