/**
 * What was seen of folders a moment ago, so that many small files into one folder don't each ask S3 whether it is there and whether their name is that
 * of a folder. What others change meanwhile is noticed a few seconds later; at worst a folder that was just removed comes back with the file.
 */

/** How long it is believed. Milliseconds. */
const FRESH_MS = 5_000;
/** Folders that are remembered. */
const MOST = 1_000;

interface Seen {
  readonly at: number;
  /** Names of the folders in it; undefined where there are too many names to have seen them all. */
  readonly folders: Set<string> | undefined;
}

export class KnownFolders {
  /** By key, which ends with a slash. */
  private readonly seen = new Map<string, Seen>();

  /** `now` is a clock in milliseconds. */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** What is known of a folder; undefined where that is nothing. */
  of(key: string): { readonly folders: ReadonlySet<string> | undefined } | undefined {
    const one = this.seen.get(key);
    if (one && this.now() - one.at < FRESH_MS) return one;
    if (one) this.seen.delete(key);
    return undefined;
  }

  /** The folder is there. */
  saw(key: string, folders?: Iterable<string>): void {
    this.seen.delete(key);
    this.seen.set(key, { at: this.now(), folders: folders && new Set(folders) });
    if (this.seen.size > MOST) this.seen.delete(this.seen.keys().next().value!);
  }

  /** A folder was made in it. */
  made(key: string, name: string): void {
    this.seen.get(key)?.folders?.add(name);
  }

  /** The folder and all in it may be gone, and what lies around it different. */
  changed(key: string): void {
    for (const one of this.seen.keys()) if (one.startsWith(key) || key.startsWith(one)) this.seen.delete(one);
  }
}
