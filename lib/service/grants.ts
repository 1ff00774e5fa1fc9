/** What the instances of a service may read, write and reach: exactly what the server is told of. */
import { Port } from 'aws-cdk-lib/aws-ec2';
import type { ServerConfig } from '../../server/config';
import type { As2Keys } from '../as2/keys';
import type { PartnersFile } from '../as2/partners-file';
import type { ServerCertificate } from '../certificate/server-certificate';
import type { ServerFleet } from '../fleet/server-fleet';
import type { FtpsServiceProps } from '../ftps-service-props';
import type { IFtpsAccounts } from '../identity/accounts';
import { grantReadOf } from '../identity/secrets-key';
import type { SharedLockouts } from '../identity/shared-lockouts';
import { issuerSecrets } from '../identity/token-issuer';
import type { AuditLog } from '../logs/audit-log';
import { outwardOf, peerOf } from '../network/outward';
import type { HostKeys } from '../sftp/host-keys';
import { grantReadOfRevocations } from '../sftp/revocation-list';
import type { IFileStorage } from '../storage/file-storage';

/** What the server works with. */
export interface GrantedParts {
  readonly certificates: readonly ServerCertificate[];
  readonly accounts: IFtpsAccounts;
  readonly sharedLockouts?: SharedLockouts;
  readonly hostKeys?: HostKeys;
  readonly as2Keys?: As2Keys;
  readonly as2Partners?: PartnersFile;
  readonly auditLog: AuditLog;
  readonly storage: IFileStorage;
}

/** Lets the instances use these parts. */
export function grantParts(fleet: ServerFleet, parts: GrantedParts): void {
  const { role } = fleet;
  for (const certificate of parts.certificates) {
    certificate.grantRead(role);
    certificate.pushTo(fleet.autoScalingGroup);
  }
  parts.accounts.grantRead(role);
  parts.accounts.allowFrom(fleet);
  parts.sharedLockouts?.grantUse(role);
  for (const keys of [parts.hostKeys, parts.as2Keys]) if (keys) grantKeys(fleet, keys);
  parts.as2Partners?.grantRead(role);
  parts.auditLog.grantWrite(role);
  parts.storage.grantReadWrite(role);
  parts.storage.allowFrom(fleet);
}

/** A server without its keys does not begin, so they are there before it. */
function grantKeys(fleet: ServerFleet, keys: HostKeys | As2Keys): void {
  keys.grantRead(fleet.role);
  fleet.autoScalingGroup.node.addDependency(keys);
}

/** Lets the instances use what the settings name and no part of the service is: secrets of webhooks and issuers, their endpoints, a list of revocations. */
export function grantNamedInSettings(fleet: ServerFleet, { webhooks = [], server }: FtpsServiceProps, config: ServerConfig): void {
  for (const secret of new Set([...webhooks.flatMap(({ signingSecrets }) => signingSecrets), ...issuerSecrets(server?.https?.issuers)]))
    grantReadOf(secret, fleet.role);
  for (const { port, cidrs } of outwardOf(config)) for (const peer of cidrs.map(peerOf)) fleet.connections.allowTo(peer, Port.tcp(port), 'Webhook');
  const revocations = config.sftp?.userCertificates.revocationList;
  if (revocations !== undefined) grantReadOfRevocations(fleet.role, revocations);
}
