/** The parts that every connection of HTTPS works with; one set for a process. */
import type { Audit } from '../audit/event';
import type { HttpsConfig, ServerConfig } from '../config';
import type { Files } from '../files/files';
import type { Mounted } from '../http/exchange';
import type { Identity } from '../identity/identity';
import type { Issuers } from '../identity/issuers/issuers';
import type { Limits } from '../limits/limits';
import type { Newcomers } from '../limits/newcomers';
import type { Sessions } from '../sessions/registry';
import type { Requests } from '../sessions/requests';
import type { SessionInfo } from '../sessions/session-info';
import type { SignIns } from '../sessions/sign-ins';
import type { ServerCertificates } from '../tls/certificates';
import type { Links } from './links/links';

export interface HttpsEngine {
  readonly config: ServerConfig & { readonly https: HttpsConfig };
  readonly audit: Audit;
  readonly identity: Identity;
  readonly limits: Limits;
  /** The turns of those who have not logged in. */
  readonly newcomers: Newcomers;
  readonly files: Files;
  readonly sessions: Sessions;
  readonly certificates: ServerCertificates;
  readonly signIns: SignIns;
  readonly requests: Requests;
  /** What other protocols answer on this port. */
  readonly mounted: readonly Mounted[];
  readonly links: Links;
  /** Who else may say who somebody is. */
  readonly issuers: Issuers;
  /** The sessions of all processes. */
  readonly who: () => Promise<readonly SessionInfo[]>;
}
