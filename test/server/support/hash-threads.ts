/** The threads that hash passwords, once for all test files of a process: to start one takes longer than nearly everything that tests have it hash. */
import { HashThreads } from '../../../server/identity/hashing/threads';

const KEY = Symbol.for('cdk-ftps.test.hash-threads');
const kept = globalThis as { [KEY]?: HashThreads };

/** Of these, so many at once as the settings say. What closes its pool leaves them be. */
export function sharedThreads(most: number): Pick<HashThreads, 'most' | 'derive' | 'close'> {
  kept[KEY] ??= new HashThreads(most);
  const threads = kept[KEY];
  return { most, derive: (hash, password) => threads.derive(hash, password), close: async () => {} };
}
