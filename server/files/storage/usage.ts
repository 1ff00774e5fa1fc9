/**
 * How much each home holds, for quotas: counted once, then kept up by this server's own changes. A home is counted under its path, so that
 * accounts that share one share its count. What uploads have reserved and not put into place yet is kept apart from what lies there.
 */
import type { AccountRules } from '../../config';
import { StorageError } from './storage';

export type Quota = NonNullable<AccountRules['quota']>;

export interface Held {
  readonly bytes: number;
  readonly files: number;
}

/** What an upload has reserved: room for its bytes and its name, and of the room of the file it replaces, how much it was lent. */
export interface Reserved extends Held {
  readonly lent: number;
}

/** The counts of all homes. With several workers they are kept by the primary, so that all promises may come from there. */
export interface UsageCounts {
  /** Reserves, unless the quota says no (the answer is then which part of it), or the home has to be counted first. */
  take(home: string, quota: Quota, bytes: number, files: number): Promise<'taken' | 'uncounted' | keyof Quota>;
  /**
   * How much of the room of a file an upload may use that is to replace it. All loans of a home together never exceed what lies in it, so
   * that homes and unfinished uploads together take twice the quota at most.
   */
  lend(home: string, bytes: number): Promise<number>;
  /** Gives back what an upload had reserved, and says what has changed in the folder: more or less bytes and files than before. */
  settle(home: string, reserved: Reserved, folder: string, change: Held): void;
  /** Something has changed in the folder, nobody knows how much: the homes that it lies in are counted again when it matters. */
  touched(folder: string): void;
  /** A folder or file was moved. What is counted of homes that have only one of the places, or lie in one, is void. */
  moved(from: string, to: string): void;
  /** A count begins; the answer is its number. What changes meanwhile may be counted twice, and is never missed. */
  counting(home: string): Promise<number>;
  /** What was found in the home. Undefined where the count failed. */
  counted(count: number, held: Held | undefined): Promise<void>;
  /** What a home holds, reservations included; undefined where it has to be counted first. */
  held(home: string): Promise<Held | undefined>;
}

/** Before a quota refuses, the home is counted again where that was not done for so long: other programs may have made room. Milliseconds. */
const STALE_MS = 60_000;
/** The same, where something changed that nobody knows the size of. */
const DOUBTFUL_MS = 5_000;

interface Home {
  /** What lies in it; undefined where nobody has counted. */
  held: { bytes: number; files: number } | undefined;
  countedAt: number;
  /** Whether `held` may be wrong. */
  doubtful: boolean;
  reserved: { bytes: number; files: number };
  lent: number;
}

export class LocalCounts implements UsageCounts {
  private readonly homes = new Map<string, Home>();
  private readonly counts = new Map<number, { readonly home: string; bytes: number; files: number; disturbed: boolean }>();
  private nextCount = 1;

  /** `now` is a clock in milliseconds. */
  constructor(private readonly now: () => number = Date.now) {}

  async take(home: string, quota: Quota, bytes: number, files: number) {
    const one = this.homes.get(home);
    if (!one?.held || (one.doubtful && this.isOlder(one, DOUBTFUL_MS))) return 'uncounted';
    const [allBytes, allFiles] = [one.held.bytes + one.reserved.bytes + bytes, one.held.files + one.reserved.files + files];
    const refused = quota.bytes !== undefined && bytes > 0 && allBytes > quota.bytes ? 'bytes' : undefined;
    const over = refused ?? (quota.files !== undefined && files > 0 && allFiles > quota.files ? 'files' : undefined);
    if (over) return this.isOlder(one, STALE_MS) ? 'uncounted' : over;
    one.reserved.bytes += bytes;
    one.reserved.files += files;
    return 'taken';
  }

  async lend(home: string, bytes: number): Promise<number> {
    const one = this.homes.get(home);
    if (!one?.held) return 0;
    const lent = Math.max(0, Math.min(bytes, one.held.bytes - one.lent));
    one.lent += lent;
    return lent;
  }

  settle(home: string, { bytes, files, lent }: Reserved, folder: string, change: Held): void {
    const one = this.homes.get(home);
    if (one) {
      one.reserved.bytes -= bytes;
      one.reserved.files -= files;
      one.lent -= lent;
    }
    if (change.bytes === 0 && change.files === 0) return;
    for (const [, { held }] of this.around(folder)) {
      if (!held) continue;
      held.bytes += change.bytes;
      held.files += change.files;
    }
    for (const count of this.counts.values()) {
      if (!isWithin(folder, count.home)) continue;
      count.bytes += Math.max(0, change.bytes);
      count.files += Math.max(0, change.files);
      count.disturbed = true;
    }
  }

  touched(folder: string): void {
    for (const [, one] of this.around(folder)) one.doubtful = true;
    for (const count of this.counts.values()) if (isWithin(folder, count.home)) count.disturbed = true;
  }

  moved(from: string, to: string): void {
    for (const home of this.homes.keys()) {
      const [had, has] = [isWithin(from, home), isWithin(to, home)];
      if (had !== has || isWithin(home, from) || isWithin(home, to)) this.forget(home);
    }
    for (const count of this.counts.values()) count.disturbed = true;
  }

  async counting(home: string): Promise<number> {
    const count = this.nextCount++;
    this.counts.set(count, { home, bytes: 0, files: 0, disturbed: false });
    return count;
  }

  async counted(count: number, found: Held | undefined): Promise<void> {
    const meanwhile = this.counts.get(count);
    this.counts.delete(count);
    if (!meanwhile || !found) return;
    const one = this.homeOf(meanwhile.home);
    one.held = { bytes: found.bytes + meanwhile.bytes, files: found.files + meanwhile.files };
    one.countedAt = this.now();
    one.doubtful = meanwhile.disturbed;
  }

  async held(home: string): Promise<Held | undefined> {
    const one = this.homes.get(home);
    if (!one?.held || (one.doubtful && this.isOlder(one, DOUBTFUL_MS))) return undefined;
    return { bytes: one.held.bytes + one.reserved.bytes, files: one.held.files + one.reserved.files };
  }

  /** Has the home counted anew by whoever asks next; what uploads have reserved stays reserved. */
  forget(home: string): void {
    const one = this.homes.get(home);
    if (one) one.held = undefined;
  }

  /** The homes that a folder lies in. */
  private *around(folder: string): Iterable<[string, Home]> {
    for (let path = folder; ; path = path.slice(0, Math.max(0, path.lastIndexOf('/')))) {
      const one = this.homes.get(path);
      if (one) yield [path, one];
      if (path === '') return;
    }
  }

  private homeOf(path: string): Home {
    let one = this.homes.get(path);
    if (!one) {
      one = { held: undefined, countedAt: 0, doubtful: false, reserved: { bytes: 0, files: 0 }, lent: 0 };
      this.homes.set(path, one);
    }
    return one;
  }

  private isOlder(one: Home, milliseconds: number): boolean {
    return this.now() - one.countedAt >= milliseconds;
  }
}

/** The counts of all workers as one of them uses them: what its uploads had reserved is given back when it dies. */
export class HeldCounts {
  private readonly reserved = new Map<string, { bytes: number; files: number; lent: number }>();
  private readonly counts = new Set<number>();
  /** Homes whose count may lack what it did last. */
  private readonly seen = new Set<string>();

  constructor(private readonly shared: LocalCounts) {}

  async take(home: string, quota: Quota, bytes: number, files: number) {
    this.seen.add(home);
    const answer = await this.shared.take(home, quota, bytes, files);
    if (answer === 'taken') this.note(home, bytes, files, 0);
    return answer;
  }

  async lend(home: string, bytes: number): Promise<number> {
    const lent = await this.shared.lend(home, bytes);
    this.note(home, 0, 0, lent);
    return lent;
  }

  settle(home: string, reserved: Reserved, folder: string, change: Held): void {
    this.note(home, -reserved.bytes, -reserved.files, -reserved.lent);
    this.shared.settle(home, reserved, folder, change);
  }

  async counting(home: string): Promise<number> {
    const count = await this.shared.counting(home);
    this.counts.add(count);
    return count;
  }

  async counted(count: number, held?: Held | null): Promise<void> {
    this.counts.delete(count);
    await this.shared.counted(count, held ?? undefined);
  }

  /** Gives back everything that is still reserved, and has the homes counted again: what it put into place last it may not have said. */
  releaseAll(): void {
    for (const [home, reserved] of this.reserved) this.shared.settle(home, reserved, '', { bytes: 0, files: 0 });
    for (const count of this.counts) void this.shared.counted(count, undefined);
    for (const home of this.seen) this.shared.forget(home);
    this.reserved.clear();
    this.counts.clear();
  }

  private note(home: string, bytes: number, files: number, lent: number): void {
    const one = this.reserved.get(home) ?? { bytes: 0, files: 0, lent: 0 };
    one.bytes += bytes;
    one.files += files;
    one.lent += lent;
    if (one.bytes === 0 && one.files === 0 && one.lent === 0) this.reserved.delete(home);
    else this.reserved.set(home, one);
  }
}

function isWithin(path: string, home: string): boolean {
  return home === '' || path === home || path.startsWith(`${home}/`);
}

const NOTHING: Held = { bytes: 0, files: 0 };

/** One account's use of its home, against its quota. */
export class Usage {
  constructor(
    /** Path of the home below the root, without a slash at its ends; empty for the root. */
    private readonly home: string,
    /** The quota as it is now; undefined where there is none. */
    private readonly quota: () => Promise<Quota | undefined>,
    private readonly counts: UsageCounts,
    /** Counts what is there, and tells the counts. One count for all who ask in this process at the same time. */
    private readonly count: () => Promise<void>,
  ) {}

  /** Opens the account of one upload into a folder of the home; `known` is the size of the file that it is to replace. */
  async begin(folder: readonly string[], known: number | undefined): Promise<UploadRoom> {
    const quota = await this.quota();
    const room = new UploadRoom(quota && this.taking(quota), (reserved, change) => this.settle(quota, reserved, folder, change));
    if (quota) await room.open(known, (bytes) => this.counts.lend(this.home, bytes));
    return room;
  }

  /** Says what a removal or a rename has changed in a folder of the home. Undefined: not known, as where it was not looked at. */
  async changed(folder: readonly string[], change: Held | undefined): Promise<void> {
    if (change) this.counts.settle(this.home, { ...NOTHING, lent: 0 }, this.path(folder), change);
    else this.counts.touched(this.path(folder));
  }

  moved(from: readonly string[], to: readonly string[]): void {
    this.counts.moved(this.path(from), this.path(to));
  }

  /** Whether the account has a quota now. */
  async hasQuota(): Promise<boolean> {
    return (await this.quota()) !== undefined;
  }

  /** Bytes that a new file may have; undefined where the quota has no say in it. */
  async left(): Promise<number | undefined> {
    const quota = await this.quota();
    if (!quota) return undefined;
    for (;;) {
      const held = await this.counts.held(this.home);
      if (!held) {
        await this.count();
        continue;
      }
      if (quota.files !== undefined && held.files >= quota.files) return 0;
      return quota.bytes === undefined ? undefined : Math.max(0, quota.bytes - held.bytes);
    }
  }

  private taking(quota: Quota) {
    return async (bytes: number, files: number) => {
      for (;;) {
        const answer = await this.counts.take(this.home, quota, bytes, files);
        if (answer === 'taken') return;
        if (answer === 'bytes') throw new StorageError('quota', `The quota of ${quota.bytes} bytes is used up.`);
        if (answer === 'files') throw new StorageError('quota', `The quota of ${quota.files} files is used up.`);
        await this.count();
      }
    };
  }

  private settle(quota: Quota | undefined, reserved: Reserved, folder: readonly string[], change: Held | undefined): void {
    if (quota) this.counts.settle(this.home, reserved, this.path(folder), change ?? NOTHING);
    else if (change) this.counts.touched(this.path(folder));
  }

  private path(folder: readonly string[]): string {
    return [...(this.home === '' ? [] : [this.home]), ...folder].join('/');
  }
}

/** What one upload takes of the quota: all of its bytes from the first on, but for the room that the file has which it replaces. */
export class UploadRoom {
  private bytes = 0;
  private files = 0;
  private lent = 0;

  constructor(
    private readonly take: ((bytes: number, files: number) => Promise<void>) | undefined,
    private readonly settle: (reserved: Reserved, change: Held | undefined) => void,
  ) {}

  /** Whether a quota counts: then what is replaced must be known. */
  get counts(): boolean {
    return this.take !== undefined;
  }

  async open(known: number | undefined, lend: (bytes: number) => Promise<number>): Promise<void> {
    const files = known === undefined ? 1 : 0;
    await this.take!(0, files);
    this.files = files;
    if (known !== undefined) this.lent = await lend(known);
  }

  /** Takes room before it is used, so that uploads side by side can't overrun the quota together. */
  async grow(size: number): Promise<void> {
    const more = size - this.lent - this.bytes;
    if (!this.take || more <= 0) return;
    await this.take(more, 0);
    this.bytes += more;
  }

  /** Takes what is missing where the file that is replaced is smaller than it was, or gone. To be called while its name is held. */
  async cover(size: number, replaced: number | undefined): Promise<void> {
    if (!this.take) return;
    const bytes = Math.max(0, size - (replaced ?? 0) - this.bytes);
    const files = Math.max(0, (replaced === undefined ? 1 : 0) - this.files);
    if (bytes === 0 && files === 0) return;
    await this.take(bytes, files);
    this.bytes += bytes;
    this.files += files;
  }

  /** The upload is in place. */
  filled(size: number, replaced: number | undefined): void {
    this.end({ bytes: size - (replaced ?? 0), files: replaced === undefined ? 1 : 0 });
  }

  /** The upload came to nothing. */
  give(): void {
    this.end(undefined);
  }

  private end(change: Held | undefined): void {
    this.settle({ bytes: this.bytes, files: this.files, lent: this.lent }, change);
    this.bytes = 0;
    this.files = 0;
    this.lent = 0;
  }
}
