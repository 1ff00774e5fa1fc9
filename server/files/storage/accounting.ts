/** What a storage needs to hold quotas: the counts of homes, the quotas of accounts, and locks on names. Shared with other processes where there are some. */
import { FairTurns } from '../fair-turns';
import { LocalNameLocks, type NameLocks } from './name-locks';
import { type QuotaSource, Quotas } from './quotas';
import { type HomeRules, StorageError } from './storage';
import { Usage } from './usage';
import { type Held, LocalCounts, type UsageCounts } from './usage-counts';

/** By default each is this process's own. */
export interface SharedParts {
  readonly counts?: UsageCounts;
  readonly locks?: NameLocks;
  /** Asked for the quota of an account whose session has logged in before. Absent: what the last login said. */
  readonly quotaOf?: QuotaSource;
}

/** Homes that are counted at once, and of one account. */
const COUNTS_AT_ONCE = 2;

export class Accounting {
  readonly locks: NameLocks;
  private readonly counts: UsageCounts;
  private readonly quotas: Quotas;
  private readonly turns = new FairTurns(COUNTS_AT_ONCE);
  /** The counts that run, by home. */
  private readonly running = new Map<string, Promise<void>>();
  private readonly closing = new AbortController();

  constructor({ counts = new LocalCounts(), locks = new LocalNameLocks(), quotaOf }: SharedParts = {}) {
    this.counts = counts;
    this.locks = locks;
    this.quotas = new Quotas(quotaOf);
  }

  /** One account's use of its home; `look` counts what lies there, until the signal says that nobody wants to know. */
  usageOf({ user, quota }: Pick<HomeRules, 'user' | 'quota'>, home: string, look: (signal: AbortSignal) => Promise<Held>): Usage {
    this.quotas.learn(user, quota);
    return new Usage(
      home,
      () => this.quotas.of(user, quota),
      this.counts,
      () => this.count(user, home, look),
    );
  }

  /** Ends the counts that run. */
  async close(): Promise<void> {
    this.closing.abort(new StorageError('unavailable', 'The server is going down.'));
    await Promise.allSettled(this.running.values());
  }

  private count(user: string, home: string, look: (signal: AbortSignal) => Promise<Held>): Promise<void> {
    const running = this.running.get(home) ?? this.begin(user, home, look).finally(() => this.running.delete(home));
    this.running.set(home, running);
    return running;
  }

  private async begin(user: string, home: string, look: (signal: AbortSignal) => Promise<Held>): Promise<void> {
    const { signal } = this.closing;
    const giveBack = await this.turns.take(user, signal);
    try {
      const count = await this.counts.counting(home);
      let held: Held | undefined;
      try {
        held = await look(signal);
      } finally {
        await this.counts.counted(count, held); // where it failed, counted again for the next upload
      }
    } finally {
      giveBack();
    }
  }
}
