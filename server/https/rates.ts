/** How many requests of an account are answered in a minute (draft-ietf-httpapi-ratelimit-headers). */
import type { Headers } from '../http/reply';
import { type Requests, WINDOW_MS } from '../sessions/requests';

export class RequestRates {
  constructor(
    private readonly requests: Pick<Requests, 'count'>,
    private readonly perMinute: number,
  ) {}

  /** Counts a request. Answers what the client is told, and whether it was one too many. */
  async take(who: string): Promise<{ readonly isTooMany: boolean; readonly headers: Headers }> {
    const { count, left } = await this.requests.count(who);
    const seconds = Math.ceil(left / 1000);
    const isTooMany = count > this.perMinute;
    return {
      isTooMany,
      headers: {
        'ratelimit-policy': `"account";q=${this.perMinute};w=${WINDOW_MS / 1000}`,
        ratelimit: `"account";r=${Math.max(0, this.perMinute - count)};t=${seconds}`,
        'retry-after': isTooMany ? String(seconds) : undefined,
      },
    };
  }
}
