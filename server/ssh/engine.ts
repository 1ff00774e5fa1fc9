/** The parts that every session of SSH works with; one set for a process. */
import type { Audit } from '../audit/event';
import type { ServerConfig, SftpConfig } from '../config';
import type { Files } from '../files/files';
import type { Identity } from '../identity/identity';
import type { Limits } from '../limits/limits';
import type { Newcomers } from '../limits/newcomers';
import type { Sessions } from '../sessions/registry';
import type { UserCertificates } from './certificates/user-certificates';
import type { HostKeys } from './host-keys';
import type { SshPolicy } from './transport/policy';

export interface SshEngine {
  readonly config: Pick<ServerConfig, 'limits' | 'tls'> & { readonly sftp: SftpConfig };
  readonly audit: Audit;
  readonly identity: Identity;
  readonly limits: Limits;
  /** The turns of those who have not logged in. */
  readonly newcomers: Newcomers;
  readonly files: Files;
  readonly sessions: Sessions;
  readonly hostKeys: HostKeys;
  readonly policy: SshPolicy;
  readonly userCertificates: UserCertificates;
}
