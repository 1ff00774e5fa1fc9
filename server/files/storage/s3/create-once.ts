/** An object that is created where there is none. */
import { setTimeout } from 'node:timers/promises';
import { isConflict, isTaken, storageError } from './errors';

const ATTEMPTS = 8;
const LONGEST_MS = 100;

/**
 * Whether it was created; false where the name is taken. Of two that do so at once S3 may refuse both, and says so by another answer (409 ConditionalRequestConflict,
 * "How to prevent object overwrites with conditional writes"): that is tried again. Throws a StorageError.
 */
export async function createOnce(put: () => Promise<unknown>): Promise<boolean> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await put();
      return true;
    } catch (error) {
      if (isTaken(error)) return false;
      if (!isConflict(error) || attempt === ATTEMPTS) return storageError(error);
      await setTimeout(Math.random() * LONGEST_MS);
    }
  }
}
