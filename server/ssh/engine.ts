/** The parts that every session of SSH works with; one set for a process. */
import type { ServerConfig, SftpConfig } from '../config';
import type { ProtocolParts } from '../sessions/protocol';
import type { UserCertificates } from './certificates/user-certificates';
import type { HostKeys } from './host-keys';
import type { SshPolicy } from './transport/policy';

export interface SshEngine extends ProtocolParts {
  readonly config: Pick<ServerConfig, 'limits' | 'tls'> & { readonly sftp: SftpConfig };
  readonly hostKeys: HostKeys;
  readonly policy: SshPolicy;
  readonly userCertificates: UserCertificates;
}
