/**
 * How much each home holds: counted once, then kept up by this server's own changes. A home is counted under its path, so that accounts that share one
 * share its count. What uploads have reserved and not put into place yet is kept apart from what lies there.
 */
import type { AccountRules } from '../../config';

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

function isWithin(path: string, home: string): boolean {
  return home === '' || path === home || path.startsWith(`${home}/`);
}
