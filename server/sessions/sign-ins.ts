/**
 * Who has signed in over HTTPS. A browser has several connections, on any of the workers, and names its sign-in by a cookie on each of them: sign-ins
 * are kept once for all workers, and each takes the place of one session of its account.
 */
import type { Account } from '../identity/identity';
import type { Scope } from '../identity/scopes';
import type { Limits } from '../limits/limits';

/** As it was when the password was right. */
export interface SignIn {
  readonly account: Account;
  /** Of the account's record, where its source has records (`AccountRecord`): another one ends the sign-in. */
  readonly fingerprint?: string;
  /** Where an issuer said who it is: what its rule leaves of the account. */
  readonly by?: { readonly issuer: string; readonly scopes: readonly Scope[]; readonly folder: string };
}

/** `key`: the SHA-256 of the secret in a cookie, which the browser alone has. */
export interface SignIns {
  /** Takes a place of the account's. False where it has none left. */
  begin(key: string, user: string, maxSessions?: number): Promise<boolean>;
  /** Who it is; from now on it is found. */
  keep(key: string, signIn: SignIn): Promise<void>;
  /** What a cookie has to say beside its secret: nothing, where none is asked for. */
  sealOf(key: string): Promise<string>;
  /** Undefined where it has ended. Who is found has asked for something, and is not idle. */
  find(key: string, seal: string): Promise<SignIn | undefined>;
  end(key: string): void;
}

export interface SignInTimes {
  readonly signInIdleSeconds: number;
  readonly signInSeconds: number;
}

interface Kept {
  readonly user: string;
  signIn: SignIn | undefined;
  readonly begunAt: number;
  usedAt: number;
}

/** A sign-in that asked for nothing that long makes room for another one of its account. */
const LEFT_MS = 60_000;
/** How often those that are over give their places back. */
const LOOK_MS = 30_000;

export class LocalSignIns implements SignIns {
  private readonly all = new Map<string, Kept>();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly limits: Pick<Limits, 'admitAccount' | 'releaseAccount'>,
    private readonly times: SignInTimes,
    /** How many there may be; who has been idle longest makes room. */
    private readonly most: number,
    private readonly now: () => number = Date.now,
  ) {
    this.timer = setInterval(() => this.look(), LOOK_MS).unref();
  }

  async begin(key: string, user: string, maxSessions?: number): Promise<boolean> {
    this.look();
    while (!(await this.limits.admitAccount(user, maxSessions))) {
      // Who closed the browser without a word signs in again, and has the place of before.
      const left = [...this.all].find(([, kept]) => kept.user === user && this.now() - kept.usedAt >= LEFT_MS);
      if (!left) return false;
      this.end(left[0]);
    }
    this.all.set(key, { user, signIn: undefined, begunAt: this.now(), usedAt: this.now() });
    if (this.all.size > this.most) this.end(this.all.keys().next().value!);
    return true;
  }

  async keep(key: string, signIn: SignIn): Promise<void> {
    const kept = this.all.get(key);
    if (kept) kept.signIn = signIn;
  }

  /** To look for one costs nothing here. */
  async sealOf(): Promise<string> {
    return '';
  }

  async find(key: string): Promise<SignIn | undefined> {
    const kept = this.all.get(key);
    if (!kept) return undefined;
    if (this.isOver(kept)) {
      this.end(key);
      return undefined;
    }
    kept.usedAt = this.now();
    this.all.delete(key);
    this.all.set(key, kept);
    return kept.signIn;
  }

  end(key: string): void {
    const kept = this.all.get(key);
    if (!kept) return;
    this.all.delete(key);
    this.limits.releaseAccount(kept.user);
  }

  close(): void {
    clearInterval(this.timer);
  }

  private isOver({ begunAt, usedAt }: Kept): boolean {
    const now = this.now();
    return now - usedAt >= this.times.signInIdleSeconds * 1000 || now - begunAt >= this.times.signInSeconds * 1000;
  }

  private look(): void {
    for (const [key, kept] of this.all) if (this.isOver(kept)) this.end(key);
  }
}
