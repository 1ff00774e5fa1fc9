/** The parts that AS2 works with; one set for a process. */
import type { Audit } from '../audit/event';
import type { As2Config, ServerConfig } from '../config';
import type { Files } from '../files/files';
import type { Identity } from '../identity/identity';
import type { Limits } from '../limits/limits';
import type { Newcomers } from '../limits/newcomers';
import type { Sessions } from '../sessions/registry';
import type { ServerCertificates } from '../tls/certificates';

/** What the entrance gives. */
export interface As2Parts {
  readonly config: ServerConfig & { readonly as2: As2Config };
  readonly audit: Audit;
  readonly identity: Identity;
  readonly limits: Limits;
  readonly newcomers: Newcomers;
  readonly files: Files;
  readonly sessions: Sessions;
  readonly certificates: ServerCertificates;
}
