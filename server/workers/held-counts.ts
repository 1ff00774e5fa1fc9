/** The counts of homes as one worker uses them. */
import type { Held, LocalCounts, Quota, Reserved } from '../files/storage/usage-counts';

/** What the worker's uploads had reserved is given back when it dies. */
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
