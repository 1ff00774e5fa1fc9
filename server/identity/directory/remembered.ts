/** Good logins remembered for a while, where that is asked for. Neither passwords nor anything that could be checked outside of this process is kept. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Account } from '../identity';

const MOST = 10_000;

export class Remembered {
  private readonly key = randomBytes(32);
  private readonly logins = new Map<string, { readonly digest: Buffer; readonly account: Account; readonly until: number }>();

  constructor(
    private readonly seconds: number,
    private readonly now: () => number = Date.now,
  ) {}

  find(login: string, password: string): Account | undefined {
    const known = this.logins.get(login);
    if (!known) return undefined;
    if (known.until <= this.now()) {
      this.logins.delete(login);
      return undefined;
    }
    return timingSafeEqual(known.digest, this.digest(password)) ? known.account : undefined;
  }

  keep(login: string, password: string, account: Account): void {
    if (this.seconds === 0) return;
    this.logins.delete(login);
    this.logins.set(login, { digest: this.digest(password), account, until: this.now() + this.seconds * 1000 });
    if (this.logins.size > MOST) this.logins.delete(this.logins.keys().next().value!);
  }

  private digest(password: string): Buffer {
    return createHmac('sha256', this.key).update(password).digest();
  }
}
