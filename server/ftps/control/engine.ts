/** The parts that every FTPS session works with; one set for a process. */
import type { Audit } from '../../audit/event';
import type { ServerConfig } from '../../config';
import type { Files } from '../../files/files';
import type { Identity } from '../../identity/identity';
import type { Limits } from '../../limits/limits';
import type { Newcomers } from '../../limits/newcomers';
import type { Sessions } from '../../sessions/registry';
import type { SessionInfo } from '../../sessions/session-info';
import type { ServerCertificates } from '../../tls/certificates';
import type { ActiveOptions } from '../data/active';
import type { DataOwner } from '../data/channel';
import type { PassivePorts } from '../data/passive-ports';
import type { TlsSessions } from '../tls/sessions';

export interface Engine {
  readonly config: ServerConfig;
  readonly audit: Audit;
  readonly identity: Identity;
  readonly files: Files;
  readonly limits: Limits;
  /** The turns of those who have not logged in. */
  readonly newcomers: Newcomers;
  readonly certificates: ServerCertificates;
  readonly tlsSessions: TlsSessions<DataOwner>;
  readonly passive: PassivePorts;
  readonly active: ActiveOptions;
  /** Where each session is noted as long as it is open. */
  readonly sessions: Sessions;
  /** Every session of the server, for SITE WHO. */
  readonly who: () => Promise<readonly SessionInfo[]>;
}
