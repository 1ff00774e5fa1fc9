/** The parts that every FTPS session works with; one set for a process. */
import type { ServerConfig } from '../../config';
import type { ProtocolParts } from '../../sessions/protocol';
import type { SessionInfo } from '../../sessions/session-info';
import type { ActiveOptions } from '../data/active';
import type { DataOwner } from '../data/channel';
import type { PassivePorts } from '../data/passive-ports';
import type { TlsSessions } from '../tls/sessions';

export interface Engine extends ProtocolParts {
  readonly config: ServerConfig;
  readonly tlsSessions: TlsSessions<DataOwner>;
  readonly passive: PassivePorts;
  readonly active: ActiveOptions;
  /** Every session of the server, for SITE WHO. */
  readonly who: () => Promise<readonly SessionInfo[]>;
}
