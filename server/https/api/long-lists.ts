/**
 * Entries of a folder, all of which are in memory until they are sorted: some two hundred megabytes where there are two hundred thousand. Lists that are long
 * wait for each other.
 */
import { type Entry, StorageError } from '../../files/account-files';
import { FairTurns } from '../../files/fair-turns';

/** From so many entries on a list is long. */
const LONG = 1_000;
/** Long ones in memory at once, each of another account. */
const AT_ONCE = 4;

export interface Gathering {
  fits(entry: Entry): boolean;
  /** Of those that fit; where there are more, a StorageError is thrown. */
  readonly most: number;
  /** Whose turn it is. */
  readonly owner: string;
  /** Ends it, also while it waits. */
  readonly signal: AbortSignal;
}

export class LongLists {
  private readonly turns = new FairTurns(AT_ONCE);

  /** Has `use` called with all that fit. */
  async gather<T>(
    batches: AsyncIterable<readonly Entry[]>,
    { fits, most, owner, signal }: Gathering,
    use: (entries: readonly Entry[]) => Promise<T>,
  ): Promise<T> {
    const found: Entry[] = [];
    let giveBack: (() => void) | undefined;
    try {
      for await (const batch of batches) {
        signal.throwIfAborted();
        for (const one of batch) if (fits(one)) found.push(one);
        if (found.length > most) throw new StorageError('unsupported', `A folder with more than ${most} entries is not listed here.`);
        if (found.length > LONG) giveBack ??= await this.turns.take(owner, signal);
      }
      return await use(found);
    } finally {
      giveBack?.();
    }
  }
}
