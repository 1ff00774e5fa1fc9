/** The keys of an issuer (RFC 7517), asked for when they are needed: seldom enough to be no burden, and kept while it does not answer. */
import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTVerifyGetKey } from 'jose';

/** However many tokens with unknown keys come, the issuer is asked no more often. */
const BETWEEN_MS = 30_000;
/** Keys that can not be asked for again are good that long: one that was taken back would be good for as long. */
const STALE_MS = 24 * 3_600_000;

/** It can't be said whether a signature is right. */
export class KeysUnavailable extends Error {}

/** There are keys, and none that is taken within FIPS 140-3: those from before are good no more. */
export class KeysUnfit extends Error {
  constructor() {
    super('all its keys are EdDSA, which tls.policy "fips" does not take; have it sign by ES256 or another one');
  }
}

export interface KeysOptions {
  /** How long they are used before they are asked for again. */
  readonly seconds: number;
  /** Asks the issuer. Rejected with KeysUnfit where none of what it has may be used. */
  ask(): Promise<unknown>;
  report(state: 'up' | 'down', detail: string): void;
  readonly now?: () => number;
}

export class Keys {
  private found: { readonly set: JWTVerifyGetKey; readonly at: number } | undefined;
  private askedAt = Number.NEGATIVE_INFINITY;
  private asking: Promise<void> | undefined;
  private trouble: string | undefined;
  /** Why none of its keys may be used, where that is so. */
  unfit: string | undefined;
  private readonly now: () => number;

  constructor(private readonly options: KeysOptions) {
    this.now = options.now ?? Date.now;
  }

  /** The key that a token names. Nothing but its `kid` and `alg` is looked at: where a token says that its key is (`jku`, `x5u`, `jwk`) is never followed. */
  readonly keyFor: JWTVerifyGetKey = async (header, token) => {
    if (this.age > this.options.seconds * 1000) await this.askAgain();
    if (!this.found || this.age > STALE_MS) throw new KeysUnavailable(this.trouble ?? 'its keys are not there yet');
    try {
      return await this.found.set(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || !(await this.askAgain())) throw error;
      return this.found.set(header, token);
    }
  };

  /** Asks now, so that the first token does not wait. */
  async warm(): Promise<void> {
    await this.askAgain();
  }

  private get age(): number {
    return this.now() - (this.found?.at ?? Number.NEGATIVE_INFINITY);
  }

  /** False where it was asked a moment ago. */
  private async askAgain(): Promise<boolean> {
    if (!this.asking && this.now() - this.askedAt < BETWEEN_MS) return false;
    this.asking ??= this.ask().finally(() => {
      this.asking = undefined;
    });
    await this.asking;
    return true;
  }

  private async ask(): Promise<void> {
    this.askedAt = this.now();
    try {
      this.found = { set: createLocalJWKSet((await this.options.ask()) as JSONWebKeySet), at: this.now() };
      if (this.trouble !== undefined) this.options.report('up', 'its keys are there again');
      this.trouble = undefined;
      this.unfit = undefined;
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof KeysUnfit) {
        this.found = undefined;
        this.unfit = message;
      }
      if (this.trouble === undefined) this.options.report('down', message);
      this.trouble = message;
    }
  }
}
