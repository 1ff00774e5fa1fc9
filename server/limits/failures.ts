/** Failed logins by one key (an address, an account, or both together), the attempts that may still fail, and lock-outs that grow. */
import { remember } from './remember';

export interface LockoutTimes {
  /** Length of the first lock-out; each further one doubles it. Seconds. */
  readonly firstSeconds: number;
  readonly longestSeconds: number;
}

/** Failures are forgotten after that long without another. */
const FORGET_MS = 3_600_000;

interface Record {
  /** Since the last lock-out. */
  count: number;
  /** As long as they are remembered. */
  total: number;
  /** How often it was locked out already: each lock-out is twice as long as the one before. */
  lockouts: number;
  lockedUntil: number;
  last: number;
}

export class Failures {
  private readonly records = new Map<string, Record>();
  private readonly pending = new Map<string, number>();
  private readonly waiting = new Map<string, (() => void)[]>();

  constructor(
    private readonly most: number,
    private readonly times: LockoutTimes,
    private readonly now: () => number,
  ) {}

  isLocked(key: string): boolean {
    return (this.records.get(key)?.lockedUntil ?? 0) > this.now();
  }

  /** Whether one more attempt could fail without more failures than there may be. */
  hasRoom(key: string): boolean {
    return (this.known(key)?.count ?? 0) + (this.pending.get(key) ?? 0) < this.most;
  }

  /** Reserves an attempt. */
  begin(key: string): void {
    this.pending.set(key, (this.pending.get(key) ?? 0) + 1);
  }

  /** The attempt is decided. Who waited for it is asked to try again, one after the other, as long as there is room. */
  end(key: string): void {
    const left = (this.pending.get(key) ?? 1) - 1;
    if (left > 0) this.pending.set(key, left);
    else this.pending.delete(key);
    const waiting = this.waiting.get(key);
    if (!waiting) return;
    this.waiting.delete(key);
    while (waiting.length > 0 && (this.hasRoom(key) || this.isLocked(key))) waiting.shift()!();
    if (waiting.length > 0) this.waiting.set(key, [...waiting, ...(this.waiting.get(key) ?? [])]);
  }

  /** Has `retry` called when there may be room. */
  whenRoom(key: string, retry: () => void): void {
    const waiting = this.waiting.get(key);
    if (waiting) waiting.push(retry);
    else this.waiting.set(key, [retry]);
  }

  /** Failures that are remembered. */
  total(key: string): number {
    return this.known(key)?.total ?? 0;
  }

  /** Counts a failure and answers the length of the lock-out that it caused, in seconds; 0 where it caused none. During a lock-out nothing counts. */
  fail(key: string): number {
    if (this.isLocked(key)) return 0;
    const record: Record = this.known(key) ?? { count: 0, total: 0, lockouts: 0, lockedUntil: 0, last: 0 };
    record.count += 1;
    record.total += 1;
    record.last = this.now();
    remember(this.records, key, record);
    if (record.count < this.most) return 0;
    const seconds = Math.min(this.times.firstSeconds * 2 ** record.lockouts, this.times.longestSeconds);
    record.count = 0;
    record.lockouts += 1;
    record.lockedUntil = record.last + seconds * 1000;
    return seconds;
  }

  /** Takes back so many failures; with the last of them, earlier lock-outs are forgotten as well. One that lasts goes on. */
  forgive(key: string, failures: number): void {
    const record = this.known(key);
    if (!record || this.isLocked(key)) return;
    record.count = Math.max(0, record.count - failures);
    record.total = Math.max(0, record.total - failures);
    if (record.count === 0) this.records.delete(key);
  }

  private known(key: string): Record | undefined {
    const record = this.records.get(key);
    return record && this.now() - Math.max(record.last, record.lockedUntil) < FORGET_MS ? record : undefined;
  }
}
