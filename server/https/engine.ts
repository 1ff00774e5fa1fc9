/** The parts that every connection of HTTPS works with; one set for a process. */
import type { HttpsConfig, ServerConfig } from '../config';
import type { FairTurns } from '../files/fair-turns';
import type { Mounted } from '../http/exchange';
import type { Issuers } from '../identity/issuers/issuers';
import type { ProtocolParts } from '../sessions/protocol';
import type { Requests } from '../sessions/requests';
import type { SessionInfo } from '../sessions/session-info';
import type { SignIns } from '../sessions/sign-ins';
import type { Links } from './links/links';

export interface HttpsEngine extends ProtocolParts {
  readonly config: ServerConfig & { readonly https: HttpsConfig };
  readonly signIns: SignIns;
  readonly requests: Requests;
  /** What other protocols answer on this port. */
  readonly mounted: readonly Mounted[];
  readonly links: Links;
  /** Who else may say who somebody is. */
  readonly issuers: Issuers;
  /** Places for asking them about who comes back from there, by addresses. */
  readonly comingBack: FairTurns;
  /** The sessions of all processes. */
  readonly who: () => Promise<readonly SessionInfo[]>;
}
