/** The parts that every session works with; one set for a process. */

import type { Audit } from '../../audit/event';
import type { ServerConfig } from '../../config';
import type { Scanner } from '../../files/antivirus/scanner';
import type { FairTurns } from '../../files/fair-turns';
import type { Releases } from '../../files/release/releases';
import type { Storage } from '../../files/storage/storage';
import type { Identity } from '../../identity/identity';
import type { Bandwidth } from '../../limits/bandwidth';
import type { Limits } from '../../limits/limits';
import type { SessionInfo } from '../../sessions/session-info';
import type { ServerCertificates } from '../../tls/certificates';
import type { ActiveOptions } from '../data/active';
import type { DataOwner } from '../data/channel';
import type { PassivePorts } from '../data/passive-ports';
import type { TlsSessions } from '../tls/sessions';
import type { CommandTable } from './command';

export interface Engine {
  readonly config: ServerConfig;
  readonly audit: Audit;
  readonly identity: Identity;
  readonly storage: Storage;
  readonly limits: Limits;
  readonly bandwidth: Bandwidth;
  /** Places for hashes of files that are there (HASH and its like). */
  readonly hashing: FairTurns;
  readonly certificates: ServerCertificates;
  readonly tlsSessions: TlsSessions<DataOwner>;
  readonly passive: PassivePorts;
  readonly active: ActiveOptions;
  readonly scanner?: Scanner;
  readonly releases: Releases;
  readonly commands: CommandTable;
  /** Every session of the server, for SITE WHO. */
  readonly who: () => Promise<readonly SessionInfo[]>;
}
