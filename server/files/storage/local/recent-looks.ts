/**
 * What in a folder was looked at a moment ago: the kernel still has it in memory, so that the next look waits for no disk of this machine, nor does opening
 * it. Clients of SFTP list a folder and then look at each of its files twice before they read it; and they send one file after the other.
 */

/** So long after a look. Milliseconds. */
const KEPT_MS = 2_000;
/** The same for all names of a folder after it was listed, which looks at each of them. */
const LISTED_MS = 10_000;
/** Names that are kept, the newest. */
const MOST_NAMES = 256;
/** A look that takes longer has waited for a disk after all, or for a program that looks into files before they are opened. Milliseconds. */
const SLOW_MS = 0.5;
/** So long after two of those in a row nothing is taken to be in memory. One alone may have been another process's turn. Milliseconds. */
const CAUTIOUS_MS = 60_000;

export class RecentLooks {
  private readonly names = new Map<string, number>();
  private listedUntil = 0;
  private filledUntil = 0;
  private cautiousUntil = 0;
  private wasSlow = false;

  /** Whether the kernel has it in memory what stands for a name, or that nothing does. */
  has(name: string): boolean {
    const now = performance.now();
    if (now < this.cautiousUntil) return false;
    if (now < this.listedUntil) return true;
    const until = this.names.get(name);
    return until !== undefined && now < until;
  }

  /** Whether a file was put into the folder a moment ago: what has which name is in memory, but for a part of a very large folder. */
  get isBeingFilled(): boolean {
    const now = performance.now();
    return now >= this.cautiousUntil && now < this.filledUntil;
  }

  add(name: string): void {
    this.names.delete(name);
    this.names.set(name, performance.now() + KEPT_MS);
    if (this.names.size > MOST_NAMES) this.names.delete(this.names.keys().next().value!);
  }

  /** Every name in the folder was looked at. */
  addAll(): void {
    this.listedUntil = performance.now() + LISTED_MS;
  }

  /** A file was put into the folder. */
  filled(): void {
    this.filledUntil = performance.now() + KEPT_MS;
  }

  /** Looks by `act`, which asks memory alone; where it was slow, memory has been forgotten. */
  by<T>(act: () => T): T {
    const begin = performance.now();
    try {
      return act();
    } finally {
      const now = performance.now();
      const isSlow = now - begin > SLOW_MS;
      if (isSlow) {
        this.listedUntil = 0;
        this.filledUntil = 0;
        this.names.clear();
        if (this.wasSlow) this.cautiousUntil = now + CAUTIOUS_MS;
      }
      this.wasSlow = isSlow;
    }
  }
}
