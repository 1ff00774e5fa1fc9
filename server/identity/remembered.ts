/** Good logins remembered for a while. Neither passwords nor anything that could be checked outside of this process is kept. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const MOST = 10_000;

/** `T`: what is known of a login. */
export class Remembered<T> {
  private readonly key = randomBytes(32);
  private readonly logins = new Map<string, { readonly digest: Buffer; readonly known: T; readonly until: number }>();
  private readonly nobody = randomBytes(32);

  /** `seconds`: how long; 0 remembers nothing. */
  constructor(
    private readonly seconds: number,
    private readonly now: () => number = Date.now,
  ) {}

  /** What is known of a login with this very password. The same work is done where the login is not remembered. */
  find(login: string, password: string): T | undefined {
    const entry = this.logins.get(login);
    const isSame = timingSafeEqual(entry?.digest ?? this.nobody, this.digest(login, password));
    if (!entry) return undefined;
    if (entry.until <= this.now()) {
      this.logins.delete(login);
      return undefined;
    }
    return isSame ? entry.known : undefined;
  }

  keep(login: string, password: string, known: T): void {
    if (this.seconds === 0) return;
    this.logins.delete(login);
    this.logins.set(login, { digest: this.digest(login, password), known, until: this.now() + this.seconds * 1000 });
    if (this.logins.size > MOST) this.logins.delete(this.logins.keys().next().value!);
  }

  forget(login: string): void {
    this.logins.delete(login);
  }

  /** Tells login and password from all others as long as this process lives, and nobody else anything. */
  digest(login: string, password: string): Buffer {
    return createHmac('sha256', this.key)
      .update(`${Buffer.byteLength(login)} ${login}${password}`)
      .digest();
  }
}
