/** ABOR, and a client that goes, at every step of a transfer. */
import { abandonedTransfers } from '../../server/ftps/transfer/abandoned';

abandonedTransfers(1);
