/** How much each home holds, for quotas: counted once, then kept up by this server's own changes. */
import type { AccountRules } from '../config';
import { StorageError } from './storage';

type Quota = NonNullable<AccountRules['quota']>;

export interface Held {
  readonly bytes: number;
  readonly files: number;
}

/** The counts of all homes. With several workers they are kept by the primary, so that all promises may come from there. */
export interface UsageCounts {
  /** Adds, unless the quota says no (the answer is then which part of it), or nobody has counted the home yet. */
  take(home: string, quota: Quota, bytes: number, files: number): Promise<'taken' | 'uncounted' | keyof Quota>;
  /** What was found in the home; the first count is the one that is taken. */
  counted(home: string, held: Held): Promise<void>;
  give(home: string, bytes: number, files: number): void;
  /** What a home holds; undefined where nobody has counted it yet. */
  held(home: string): Promise<Held | undefined>;
}

export class LocalCounts implements UsageCounts {
  private readonly homes = new Map<string, { bytes: number; files: number }>();

  async take(home: string, quota: Quota, bytes: number, files: number) {
    const held = this.homes.get(home);
    if (!held) return 'uncounted';
    if (quota.bytes !== undefined && bytes > 0 && held.bytes + bytes > quota.bytes) return 'bytes';
    if (quota.files !== undefined && files > 0 && held.files + files > quota.files) return 'files';
    held.bytes += bytes;
    held.files += files;
    return 'taken';
  }

  async counted(home: string, { bytes, files }: Held): Promise<void> {
    if (!this.homes.has(home)) this.homes.set(home, { bytes, files });
  }

  give(home: string, bytes: number, files: number): void {
    const held = this.homes.get(home);
    if (!held) return;
    held.bytes -= bytes;
    held.files -= files;
  }

  async held(home: string): Promise<Held | undefined> {
    const held = this.homes.get(home);
    return held && { ...held };
  }

  /** Has the home counted anew by whoever asks next. */
  forget(home: string): void {
    this.homes.delete(home);
  }
}

/** One home against its quota. */
export class Usage {
  private counting: Promise<void> | undefined;

  constructor(
    private readonly home: string,
    private readonly quota: Quota,
    /** Counts what is there. */
    private readonly look: () => Promise<Held>,
    private readonly counts: UsageCounts,
  ) {}

  /** Takes room before it is used, so that uploads side by side can't overrun the quota together. */
  async take(bytes: number, files: number): Promise<void> {
    for (;;) {
      const answer = await this.counts.take(this.home, this.quota, bytes, files);
      if (answer === 'taken') return;
      if (answer === 'bytes') throw new StorageError('quota', `The quota of ${this.quota.bytes} bytes is used up.`);
      if (answer === 'files') throw new StorageError('quota', `The quota of ${this.quota.files} files is used up.`);
      await this.count();
    }
  }

  /** Bytes that a new file may have; undefined where the quota has no say in it. */
  async left(): Promise<number | undefined> {
    for (;;) {
      const held = await this.counts.held(this.home);
      if (!held) {
        await this.count();
        continue;
      }
      if (this.quota.files !== undefined && held.files >= this.quota.files) return 0;
      return this.quota.bytes === undefined ? undefined : Math.max(0, this.quota.bytes - held.bytes);
    }
  }

  /** Gives room back: of what was removed, replaced, or never finished. */
  give(bytes: number, files: number): void {
    this.counts.give(this.home, bytes, files);
  }

  private count(): Promise<void> {
    this.counting ??= this.begin();
    return this.counting;
  }

  private async begin(): Promise<void> {
    try {
      await this.counts.counted(this.home, await this.look());
    } finally {
      this.counting = undefined; // where it failed, counted again for the next upload
    }
  }
}
