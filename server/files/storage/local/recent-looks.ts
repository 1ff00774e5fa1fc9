/**
 * What in a folder was looked at a moment ago: the kernel still has it in memory, so that the next look waits for no disk of this machine. Clients of
 * SFTP list a folder and then look at each of its files twice before they read it.
 */

/** So long after a look. Milliseconds. */
const KEPT_MS = 2_000;
/** The same for all names of a folder after it was listed, which looks at each of them. */
const LISTED_MS = 10_000;
/** Names that are kept, the newest. */
const MOST_NAMES = 256;
/** A look that takes longer has waited for a disk after all. Milliseconds. */
const SLOW_MS = 0.5;

export class RecentLooks {
  private readonly names = new Map<string, number>();
  private listedUntil = 0;

  /** Whether the kernel has it in memory what stands for a name, or that nothing does. */
  has(name: string): boolean {
    const now = performance.now();
    if (now < this.listedUntil) return true;
    const until = this.names.get(name);
    return until !== undefined && now < until;
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

  /** Looks by `act`, which asks memory alone; where it was slow, memory has been forgotten. */
  by<T>(act: () => T): T {
    const begin = performance.now();
    const found = act();
    if (performance.now() - begin > SLOW_MS) {
      this.listedUntil = 0;
      this.names.clear();
    }
    return found;
  }
}
