/** The short form; `test/system/robustness/aborts.test.ts` tries every step. */
import { abandonedTransfers } from './abandoned';

abandonedTransfers(5);
