/**
 * What is known of requests of programs, once for all workers: how many an account has made in this minute, and what came of those that carried a key, so
 * that one that is sent again has its effect once (draft-ietf-httpapi-idempotency-key-header).
 */
import { remember } from '../limits/remember';

/** Milliseconds in which requests are counted. */
export const WINDOW_MS = 60_000;
/** Keys of one owner, and of all, that are remembered; the oldest answers make room. */
const KEYS_OF_OWNER = 256;
const KEYS_IN_ALL = 16_384;
/** So long an answer is remembered. */
const REMEMBERED_MS = 24 * 3_600_000;

/** An answer as it is sent again. */
export interface KeptAnswer {
  readonly status: number;
  readonly json?: unknown;
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

export type KeyState =
  /** It is the first one: to be done, and to be ended. */
  | { readonly kind: 'first' }
  | { readonly kind: 'done'; readonly answer: KeptAnswer }
  /** `other`: the key was used for another request. `full`: the owner has as many running as may be. */
  | { readonly kind: 'running' | 'other' | 'full' };

export interface Requests {
  /** Counts one, in the name of somebody; answers how many there were in this window, and milliseconds until it ends. */
  count(who: string): Promise<{ readonly count: number; readonly left: number }>;
  /** `digest`: of what is asked, by which two requests are told apart. */
  begin(owner: string, key: string, digest: string): Promise<KeyState>;
  /** Ends what was begun; without an answer it may be begun anew. */
  end(owner: string, key: string, answer: KeptAnswer | undefined): void;
}

interface Counted {
  readonly until: number;
  count: number;
}

interface Keyed {
  readonly owner: string;
  readonly digest: string;
  /** Absent while it is being done, however long that takes. */
  readonly done?: { readonly answer: KeptAnswer; readonly at: number };
}

export class LocalRequests implements Requests {
  private readonly counts = new Map<string, Counted>();
  /** Those that were begun, or answered, longest ago first. */
  private readonly keys = new Map<string, Keyed>();
  private readonly ofOwner = new Map<string, number>();

  /** `now`: milliseconds of a clock that nobody sets. */
  constructor(private readonly now: () => number = () => performance.now()) {}

  async count(who: string) {
    const now = this.now();
    const known = this.counts.get(who);
    const counted = known && known.until > now ? known : { until: now + WINDOW_MS, count: 0 };
    counted.count += 1;
    if (counted !== known) remember(this.counts, who, counted);
    return { count: counted.count, left: counted.until - now };
  }

  async begin(owner: string, key: string, digest: string): Promise<KeyState> {
    this.forgetOld();
    const name = nameOf(owner, key);
    const known = this.keys.get(name);
    if (known) {
      if (known.digest !== digest) return { kind: 'other' };
      return known.done ? { kind: 'done', answer: known.done.answer } : { kind: 'running' };
    }
    if ((this.ofOwner.get(owner) ?? 0) >= KEYS_OF_OWNER && !this.makeRoom((one) => one.owner === owner)) return { kind: 'full' };
    if (this.keys.size >= KEYS_IN_ALL && !this.makeRoom(() => true)) return { kind: 'full' };
    this.keys.set(name, { owner, digest });
    this.ofOwner.set(owner, (this.ofOwner.get(owner) ?? 0) + 1);
    return { kind: 'first' };
  }

  end(owner: string, key: string, answer: KeptAnswer | undefined): void {
    const name = nameOf(owner, key);
    const known = this.keys.get(name);
    if (!known || known.done) return;
    if (answer) {
      this.keys.delete(name);
      this.keys.set(name, { ...known, done: { answer, at: this.now() } });
    } else this.forget(name, known);
  }

  private forgetOld(): void {
    const before = this.now() - REMEMBERED_MS;
    for (const [name, one] of this.keys) {
      if (!one.done) continue;
      if (one.done.at > before) break;
      this.forget(name, one);
    }
  }

  private makeRoom(fits: (one: Keyed) => boolean): boolean {
    for (const [name, one] of this.keys)
      if (one.done && fits(one)) {
        this.forget(name, one);
        return true;
      }
    return false;
  }

  private forget(name: string, { owner }: Keyed): void {
    this.keys.delete(name);
    const left = (this.ofOwner.get(owner) ?? 1) - 1;
    if (left > 0) this.ofOwner.set(owner, left);
    else this.ofOwner.delete(owner);
  }
}

/** Those of one worker: what it has not ended when it dies may be begun anew. */
export class HeldRequests implements Requests {
  private readonly running = new Map<string, readonly [owner: string, key: string]>();

  constructor(private readonly shared: Requests) {}

  count(who: string) {
    return this.shared.count(who);
  }

  async begin(owner: string, key: string, digest: string): Promise<KeyState> {
    const state = await this.shared.begin(owner, key, digest);
    if (state.kind === 'first') this.running.set(nameOf(owner, key), [owner, key]);
    return state;
  }

  end(owner: string, key: string, answer: KeptAnswer | undefined): void {
    this.running.delete(nameOf(owner, key));
    this.shared.end(owner, key, answer);
  }

  releaseAll(): void {
    for (const [owner, key] of this.running.values()) this.shared.end(owner, key, undefined);
    this.running.clear();
  }
}

const nameOf = (owner: string, key: string) => JSON.stringify([owner, key]);
