/** What the files of all accounts work with; one set for a process. */
import type { Audit } from '../audit/event';
import type { ServerConfig } from '../config';
import type { Bandwidth } from '../limits/bandwidth';
import type { Scanner } from './antivirus/scanner';
import type { FairTurns } from './fair-turns';
import type { Releases } from './release/releases';
import type { Storage } from './storage/storage';
import type { TransferLoad } from './transfer-load';

export interface FilesParts {
  readonly config: ServerConfig;
  readonly audit: Audit;
  readonly storage: Storage;
  readonly scanner?: Scanner;
  readonly releases: Releases;
  readonly bandwidth: Bandwidth;
  /** Places for hashes of files that are there (HASH and its like). */
  readonly hashing: FairTurns;
  /** Places for copying old files into drafts, and for what is done with large drafts when they are closed. */
  readonly drafts: FairTurns;
  /** Places for removing folders with everything in them. */
  readonly trees: FairTurns;
  /** What transfers take of the event loop. */
  readonly load: TransferLoad;
  /** Whether the audit can't be written any more: no upload becomes visible then. */
  readonly isDoomed: () => boolean;
}
