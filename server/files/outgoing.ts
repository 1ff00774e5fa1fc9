/** Files on their way to a client, whatever the protocol: in one piece, or where the client reads; one line in the audit each. */

import { paceOf } from '../limits/bandwidth';
import type { Asker, Download, Outlet, Reading } from './account-files';
import { sendFile } from './download';
import type { Outcome } from './outcome';
import type { FilesParts } from './parts';
import { Progress, TransferError } from './progress';
import type { ReadHandle } from './storage/storage';
import { runTransfer } from './transfer';

/** What a download works with. */
export interface OutgoingPlace {
  readonly parts: FilesParts;
  readonly asker: Asker;
  readonly command: string;
  readonly path: string;
  readonly source: ReadHandle;
}

/** The file from an offset to its end, or a part of it. */
export class WholeDownload implements Download {
  readonly progress = new Progress();
  readonly size: number;

  constructor(
    private readonly place: OutgoingPlace,
    private readonly offset: number,
    private readonly length = place.source.size - offset,
  ) {
    this.size = place.source.size;
  }

  send(connect: () => Promise<Outlet>): Promise<Outcome> {
    const { source, command, path, parts, asker } = this.place;
    const { progress, offset, length } = this;
    let outlet: Outlet | undefined;
    const plan = {
      kind: 'download',
      command,
      path,
      offset: () => offset,
      progress,
      act: async () => {
        outlet = await connect();
        progress.total = length;
        await sendFile(source, length, outlet);
        await source.close();
        return {};
      },
      undo: () => {
        outlet?.abandon();
        return source.close();
      },
    } as const;
    return runTransfer(plan, parts, asker.facts);
  }

  discard(): Promise<void> {
    return this.place.source.close();
  }
}

/** The file where the client reads it. */
export class RandomReading implements Reading {
  readonly progress = new Progress();
  readonly size: number;
  /** The first byte that was asked for. */
  private first: number | undefined;
  /** Where the source stands. */
  private at = 0;
  private last: Promise<unknown> = Promise.resolve();
  private end!: (error?: Error) => void;
  private readonly outcome: Promise<Outcome>;

  constructor(private readonly place: OutgoingPlace) {
    const { command, path, source, parts, asker } = place;
    this.size = source.size;
    this.progress.total = source.size;
    const ended = new Promise<void>((resolve, reject) => {
      this.end = (error) => (error ? reject(error) : resolve());
    });
    this.outcome = runTransfer(
      {
        kind: 'download',
        command,
        path,
        offset: () => this.first ?? 0,
        progress: this.progress,
        act: async () => {
          await ended;
          await this.last;
          await source.close();
          return {};
        },
        undo: async () => {
          await this.last;
          await source.close();
        },
      },
      parts,
      asker.facts,
    );
  }

  read(offset: number, into: Buffer): Promise<number> {
    const reading = this.last.then(() => this.readNow(offset, into));
    this.last = reading.catch((error: Error) => this.end(error));
    return reading;
  }

  private async readNow(offset: number, into: Buffer): Promise<number> {
    const { source, parts, asker } = this.place;
    const { progress } = this;
    this.first ??= offset;
    if (offset >= source.size) return 0;
    progress.signal.throwIfAborted();
    await paceOf(parts.bandwidth, parts.config.limits.bandwidth, asker.account, 'download')?.before(into.length, progress.signal);
    progress.signal.throwIfAborted();
    if (offset !== this.at) await source.seek(offset);
    this.at = offset;
    const filled = await source.read(into.subarray(0, source.size - offset));
    if (filled === 0) throw new TransferError('changed', 'The file became shorter while it was sent');
    this.at += filled;
    progress.bytes += filled;
    return filled;
  }

  close(): Promise<Outcome> {
    this.end(this.progress.signal.aborted ? (this.progress.signal.reason as Error) : undefined);
    return this.outcome;
  }

  abort(): Promise<Outcome> {
    this.progress.abort();
    this.end(this.progress.signal.reason as Error);
    return this.outcome;
  }
}
