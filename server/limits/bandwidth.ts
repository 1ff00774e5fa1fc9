/** Bandwidth limits: how fast an account's transfers, and all transfers of a server together, may move bytes. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServerConfig } from '../config';

export type Way = 'download' | 'upload';

/** The limits that settings name, for one server or one account. Bytes per second; absent means none. */
export type BandwidthLimits = NonNullable<ServerConfig['limits']['bandwidth']>;

/** Where the bytes of all transfers are counted. */
export interface Bandwidth {
  /** Takes bytes that an account's transfer wants to move. Answers with the milliseconds it has to wait before it does. */
  take(user: string, way: Way, accountLimit: number | null, bytes: number): Promise<number>;
}

/** Time that passed unused and may be caught up on, so that late timers don't make transfers slower than the limit. Milliseconds. */
const CAUGHT_UP_MS = 250;

/** Accounts whose bytes are remembered; beyond that those that move none are forgotten. */
const MOST_ACCOUNTS = 1_000;

/** Gives out bytes in the order of asking, each at the moment when the limit allows it. */
class Bucket {
  private nextAt = Number.NEGATIVE_INFINITY;

  /** Milliseconds until the bytes may move. */
  take(bytes: number, bytesPerSecond: number, now: number): number {
    const at = Math.max(this.nextAt, now - CAUGHT_UP_MS);
    this.nextAt = at + (bytes * 1000) / bytesPerSecond;
    return Math.max(0, at - now);
  }

  isIdle(now: number): boolean {
    return this.nextAt < now - CAUGHT_UP_MS;
  }
}

/** Counts in this process. `now` is a clock in milliseconds that never goes back. */
export class LocalBandwidth implements Bandwidth {
  private readonly whole: Readonly<Record<Way, Bucket>> = { download: new Bucket(), upload: new Bucket() };
  private readonly accounts = new Map<string, Bucket>();

  constructor(
    private readonly limits: BandwidthLimits | undefined,
    private readonly now: () => number = () => performance.now(),
  ) {}

  async take(user: string, way: Way, accountLimit: number | null, bytes: number): Promise<number> {
    const now = this.now();
    const limit = limitOf(this.limits, way);
    return Math.max(
      accountLimit === null ? 0 : this.bucketOf(`${way} ${user}`, now).take(bytes, accountLimit, now),
      limit === null ? 0 : this.whole[way].take(bytes, limit, now),
    );
  }

  private bucketOf(key: string, now: number): Bucket {
    const known = this.accounts.get(key);
    if (known) return known;
    if (this.accounts.size >= MOST_ACCOUNTS) for (const [other, bucket] of this.accounts) if (bucket.isIdle(now)) this.accounts.delete(other);
    const bucket = new Bucket();
    this.accounts.set(key, bucket);
    return bucket;
  }
}

/** The pace of one transfer. */
export interface Pace {
  /** The most bytes that should move at once, so that they come evenly. */
  readonly piece: number;
  /** Fulfilled when so many bytes may move; at once when the signal says that the transfer is over. */
  before(bytes: number, signal: AbortSignal): Promise<void>;
}

/** The pace of an account's transfer, or undefined where nothing limits it. */
export function paceOf(
  bandwidth: Bandwidth,
  limits: BandwidthLimits | undefined,
  account: { readonly user: string; readonly bandwidth?: BandwidthLimits },
  way: Way,
): Pace | undefined {
  const [whole, own] = [limitOf(limits, way), limitOf(account.bandwidth, way)];
  if (whole === null && own === null) return undefined;
  const slowest = Math.min(whole ?? Number.POSITIVE_INFINITY, own ?? Number.POSITIVE_INFINITY);
  return {
    piece: Math.max(1_024, Math.floor(slowest / 8)),
    async before(bytes, signal) {
      const wait = await bandwidth.take(account.user, way, own, bytes);
      if (wait > 0) await sleep(wait, undefined, { signal }).catch(() => {}); // an aborted transfer says so itself
    },
  };
}

function limitOf(limits: BandwidthLimits | undefined, way: Way): number | null {
  return (way === 'download' ? limits?.downloadBytesPerSecond : limits?.uploadBytesPerSecond) ?? null;
}
