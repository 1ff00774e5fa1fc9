/** How many requests of an account a process answers in a minute (draft-ietf-httpapi-ratelimit-headers). */

import type { Headers } from '../http/reply';
import { remember } from '../limits/remember';

const WINDOW_MS = 60_000;

interface Counted {
  readonly until: number;
  count: number;
}

export class RequestRates {
  private readonly accounts = new Map<string, Counted>();

  /** `perMinute`: for this process. */
  constructor(
    private readonly perMinute: number,
    private readonly now: () => number = Date.now,
  ) {}

  /** Counts a request. Answers what the client is told, and whether it was one too many. */
  take(user: string): { readonly isTooMany: boolean; readonly headers: Headers } {
    const now = this.now();
    const known = this.accounts.get(user);
    const counted = known && known.until > now ? known : { until: now + WINDOW_MS, count: 0 };
    counted.count += 1;
    if (counted !== known) remember(this.accounts, user, counted);
    const seconds = Math.ceil((counted.until - now) / 1000);
    const isTooMany = counted.count > this.perMinute;
    return {
      isTooMany,
      headers: {
        'ratelimit-policy': `"account";q=${this.perMinute};w=${WINDOW_MS / 1000}`,
        ratelimit: `"account";r=${Math.max(0, this.perMinute - counted.count)};t=${seconds}`,
        'retry-after': isTooMany ? String(seconds) : undefined,
      },
    };
  }
}
