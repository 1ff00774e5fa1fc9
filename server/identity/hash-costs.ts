/** What it costs to check a password of these accounts, so that names without an account cost the same. */
import { createHmac } from 'node:crypto';

/** More costs than these no honest set of accounts has. */
const MOST = 64;

export class HashCosts {
  /** A hash of each cost, by its kind and parameters: of all that were seen, the first by alphabet, which every worker and instance finds. */
  private readonly examples = new Map<string, string>();

  constructor(hashes: Iterable<string | undefined> = []) {
    for (const hash of hashes) this.add(hash);
  }

  add(hash: string | undefined): void {
    if (hash === undefined) return;
    const cost = hash.split('$', 3).join('$');
    const known = this.examples.get(cost);
    if (known === undefined ? this.examples.size < MOST : hash < known) this.examples.set(cost, hash);
  }

  /**
   * The hash that a name without an account is checked against: always the same one for a name, as it would be if there were an account, on every
   * worker and after a restart. It is chosen under the hashes themselves as keys, which nobody else knows. Undefined where no account has a hash.
   */
  of(name: string): string | undefined {
    const weights = [...this.examples.values()].map((hash) => ({ hash, weight: createHmac('sha256', hash).update(name).digest('hex') }));
    return weights.sort((a, b) => (a.weight < b.weight ? -1 : 1))[0]?.hash;
  }
}
