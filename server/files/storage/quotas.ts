/** The quota of each account as it is now: a changed one counts for sessions that have logged in before, too. */
import type { Quota } from './usage-counts';

/** What the source of an account says; `unknown` where it can't say. */
export type QuotaSource = (user: string) => Promise<Quota | undefined | 'unknown'>;

/** How long an answer is taken for true. Milliseconds. */
const FRESH_MS = 10_000;
/** Accounts that are remembered. */
const MOST = 10_000;

export class Quotas {
  private readonly known = new Map<string, { quota: Quota | undefined; askedAt: number }>();

  constructor(
    private readonly source: QuotaSource | undefined,
    private readonly now: () => number = Date.now,
  ) {}

  /** A login says what counts from then on. */
  learn(user: string, quota: Quota | undefined): void {
    this.known.delete(user);
    this.known.set(user, { quota, askedAt: this.now() });
    if (this.known.size > MOST) this.known.delete(this.known.keys().next().value!);
  }

  /** The quota as it is now; what the session was told at its login where nothing newer is known. */
  async of(user: string, atLogin: Quota | undefined): Promise<Quota | undefined> {
    const known = this.known.get(user);
    if (!this.source || (known && this.now() - known.askedAt < FRESH_MS)) return known ? known.quota : atLogin;
    if (known) known.askedAt = this.now(); // one question for all who ask meanwhile
    const answer = await this.source(user).catch(() => 'unknown' as const);
    if (answer === 'unknown') return known ? known.quota : atLogin;
    this.learn(user, answer);
    return answer;
  }
}
