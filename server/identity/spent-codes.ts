/** Which codes were used, so that each is good once (RFC 6238 section 5.2). */

export interface SpentCodes {
  /** Uses the code of a step. False where it was used, or a later one was. */
  spend(user: string, step: number): Promise<boolean>;
}

/** Of accounts that logged in by a code within the last minutes there are no more. */
const MOST = 100_000;

export class LocalSpentCodes implements SpentCodes {
  private readonly last = new Map<string, number>();

  async spend(user: string, step: number): Promise<boolean> {
    if (step <= (this.last.get(user) ?? Number.NEGATIVE_INFINITY)) return false;
    this.last.delete(user);
    this.last.set(user, step);
    if (this.last.size > MOST) this.last.delete(this.last.keys().next().value!);
    return true;
  }
}
