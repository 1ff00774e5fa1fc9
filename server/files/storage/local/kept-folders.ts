/**
 * The folders that were used a moment ago, still open. Who moves many small files moves them in one folder, and to walk there anew for each costs more
 * than the file itself. What is kept is the folder that was walked to, and it counts only while the kernel says that it still lies where it lay, which
 * is a look into memory; a folder that was moved, removed, or stands behind something that was moved, is walked to anew.
 */
import { readlinkSync } from 'node:fs';
import { Folder } from './folder';
import { RecentLooks } from './recent-looks';

/** So long after the walk a folder is used without another one. What a network file system knows of other machines' renames is older than that. Milliseconds. */
const KEPT_MS = 1_000;
/** Folders that are kept, each by a descriptor. */
const MOST_KEPT = 64;

interface Kept {
  readonly folder: Folder;
  /** Where the kernel says that it lies. */
  readonly path: string;
  readonly until: number;
}

export class KeptFolders {
  private readonly kept = new Map<string, Kept>();
  /** What was looked at, which is in memory however often its folder is walked to. */
  private readonly looks = new Map<string, RecentLooks>();
  private sweeping: NodeJS.Timeout | undefined;

  constructor(private readonly root: string) {}

  /** The folder at the end of the parts, as `Folder.walk` opens it. To be closed by who asked. */
  async open(parts: readonly string[]): Promise<Folder> {
    const key = parts.join('/');
    const known = this.kept.get(key);
    if (known) {
      if (performance.now() < known.until && placeOf(known.folder) === known.path) return known.folder.share();
      this.forget(key, known);
    }
    const folder = (await Folder.walk(this.root, parts)).remember(this.looksOf(key));
    const path = placeOf(folder);
    if (path !== undefined) this.keep(key, { folder: folder.share(), path, until: performance.now() + KEPT_MS });
    return folder;
  }

  /** Notes that every entry of a folder was looked at. */
  listed(parts: readonly string[]): void {
    this.looksOf(parts.join('/')).addAll();
  }

  /** Keeps none of them any longer. */
  close(): void {
    for (const [key, one] of this.kept) this.forget(key, one);
  }

  private looksOf(key: string): RecentLooks {
    const looks = this.looks.get(key) ?? new RecentLooks();
    this.looks.delete(key);
    this.looks.set(key, looks);
    if (this.looks.size > MOST_KEPT) this.looks.delete(this.looks.keys().next().value!);
    return looks;
  }

  private keep(key: string, one: Kept): void {
    const before = this.kept.get(key); // somebody who walked there at the same time
    if (before) this.forget(key, before);
    this.kept.set(key, one);
    if (this.kept.size > MOST_KEPT) this.forget(...this.kept.entries().next().value!);
    this.sweeping ??= setInterval(() => this.sweep(), KEPT_MS).unref();
  }

  private sweep(): void {
    const now = performance.now();
    for (const [key, one] of this.kept) if (one.until <= now) this.forget(key, one);
  }

  private forget(key: string, one: Kept): void {
    this.kept.delete(key);
    if (this.kept.size === 0) {
      clearInterval(this.sweeping);
      this.sweeping = undefined;
    }
    one.folder.close().catch(() => {}); // whoever uses it besides closes it as well
  }
}

/** Where the kernel says that a folder lies; undefined where it is gone, and on systems that don't say. Asks no disk. */
function placeOf(folder: Folder): string | undefined {
  try {
    const { descriptor } = folder;
    return descriptor === undefined ? undefined : readlinkSync(`/proc/self/fd/${descriptor}`);
  } catch {
    return undefined;
  }
}
