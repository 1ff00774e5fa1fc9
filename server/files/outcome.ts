/** How a transfer of files ends. */
import type { ScanVerdict } from './antivirus/scanner';

/** How a transfer ended. It is in the audit by then. */
export interface Outcome {
  readonly outcome: 'success' | 'failure' | 'aborted';
  /** Why it did not succeed, in words for the client, with a full stop: never a path of the host. */
  readonly reason?: string;
  /** The error behind it: a StorageError, a RefusedByScanner, a BrokenOff (a TransferError, or the protocol's own), or what nobody has foreseen. */
  readonly error?: unknown;
  /** The upload is safe, and appears under its name when a scanner that works on its own lets it. Whoever looks for it now does not find it. */
  readonly held?: true;
  /** Of the bytes that came, in hexadecimal. Absent where uploads are not hashed. */
  readonly sha256?: string;
  readonly verdict?: ScanVerdict & { /** Id in the quarantine. */ readonly quarantined?: string };
}
