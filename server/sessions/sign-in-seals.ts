/**
 * Seals of sign-ins that a table knows, by a key that all instances share: who made a cookie up is refused before the table is asked, which would cost a
 * request each time and have others wait. A seal proves nothing else; who has signed in the table alone says.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

export class SignInSeals {
  /** Good at this instance alone, while the shared one is not known. */
  private readonly own = newSealKey();
  private shared: string | undefined;
  private asking: Promise<string | undefined> | undefined;

  /** `ask`: for the shared key; undefined while it can't be said. */
  constructor(private readonly ask: () => Promise<string | undefined>) {}

  /** The seal of a sign-in that begins. */
  async of(key: string): Promise<string> {
    return sealed((await this.sharedKey()) ?? this.own, key);
  }

  async isGood(key: string, seal: string): Promise<boolean> {
    const shared = await this.sharedKey();
    const given = Buffer.from(seal);
    return [this.own, ...(shared === undefined ? [] : [shared])].map((by) => isSame(Buffer.from(sealed(by, key)), given)).includes(true);
  }

  private async sharedKey(): Promise<string | undefined> {
    if (this.shared !== undefined) return this.shared;
    // Of many who come at once, one asks.
    this.asking ??= this.ask().finally(() => {
      this.asking = undefined;
    });
    this.shared ??= await this.asking;
    return this.shared;
  }
}

/** 256 bits, as they stand in the table. */
export function newSealKey(): string {
  return randomBytes(32).toString('base64url');
}

function sealed(by: string, key: string): string {
  return createHmac('sha256', by).update(`sign-in ${key}`).digest('base64url');
}

function isSame(one: Buffer, other: Buffer): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
