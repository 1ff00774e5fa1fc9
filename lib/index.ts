/** The public API of cdk-ftps. */
export { As2Keys, type As2KeysProps } from './as2/keys';
export { ClientTrust, type ClientTrustProps } from './certificate/client-trust';
export { PrivateAuthority, type PrivateAuthorityProps } from './certificate/private-authority';
export {
  type ExistingCertificateProps,
  type PrivateServerCertificateProps,
  type PublicCertificateProps,
  type RotationProps,
  ServerCertificate,
} from './certificate/server-certificate';
export { AddressLifecycle, type AddressLifecycleProps } from './endpoint/address-lifecycle';
export { DelegatedZone, type DelegatedZoneProps } from './endpoint/delegated-zone';
export { DnsRouting } from './endpoint/dns-routing';
export { ElasticAddresses, type ElasticAddressesProps } from './endpoint/elastic-addresses';
export { type EndpointConnection, type EndpointPorts, FtpsEndpoint, type IFtpsEndpoint } from './endpoint/endpoint';
export { FtpsLoadBalancer, type FtpsLoadBalancerProps } from './endpoint/load-balancer';
export { PrivateAddresses } from './endpoint/private-addresses';
export { FtpsEnvironment } from './environment';
export { EndpointKind, type FtpsEnvironmentOptions, type FtpsEnvironmentSettings, StorageKind } from './environment-settings';
export { ImageRollout, type ImageRolloutProps } from './fleet/image-rollout';
export { ServerFleet, type ServerFleetProps } from './fleet/server-fleet';
export { SessionLog, type SessionLogProps } from './fleet/session-log';
export { FtpsService } from './ftps-service';
export type { FtpsServiceProps } from './ftps-service-props';
export { FtpsStage, type FtpsStageProps } from './ftps-stage';
export { FtpsAccounts, type IFtpsAccounts } from './identity/accounts';
export {
  CertificateDemand,
  DirectoryAccounts,
  type DirectoryAccountsProps,
  type DirectoryCertificate,
  DirectoryFlavour,
  type DirectoryRule,
  FilePermission,
} from './identity/directory-accounts';
export { type AccountBandwidth, type AccountCertificate, type AccountQuota, FtpsAccount, type FtpsAccountProps } from './identity/ftps-account';
export { SecretAccounts, type SecretAccountsProps } from './identity/secret-accounts';
export { SharedLockouts, type SharedLockoutsProps } from './identity/shared-lockouts';
export { type SshCertificates, SshLogin } from './identity/ssh-login';
export { AudienceClaim, type IssuerSignIn, type TokenAccount, type TokenClaim, type TokenIssuer, type TokenRule, TokenScope } from './identity/token-issuer';
export { type ImageCommands, ImageComponent } from './image/image-component';
export { ImageWatch, type ImageWatchProps } from './image/image-watch';
export { type ImageSettings, Processor, ServerImage, type ServerImageProps } from './image/server-image';
export { AuditArchive, type AuditArchiveProps } from './logs/audit-archive';
export { AuditLog, type AuditLogProps } from './logs/audit-log';
export { AuditDataEvents, type AuditDataEventsProps } from './logs/data-events';
export { SecurityLakeDelivery, type SecurityLakeDeliveryProps } from './logs/security-lake';
export { BuildSubnet, type BuildSubnetProps } from './network/build-subnet';
export { PassivePorts } from './network/passive-ports';
export { FtpsSecurityGroup, type FtpsSecurityGroupProps } from './network/security-group';
export { ServiceEndpoints, type ServiceEndpointsProps } from './network/service-endpoints';
export { type FirewallOpening, ServiceFirewall, type ServiceFirewallProps } from './network/service-firewall';
export { ServiceNetwork, type ServiceNetworkProps } from './network/service-network';
export type { ServicePort } from './network/service-port';
export { AlarmTopic, type AlarmTopicProps } from './observability/alarm-topic';
export { type AlarmThresholds, ServiceAlarms, type ServiceAlarmsProps } from './observability/service-alarms';
export { ServiceDashboard, type ServiceDashboardProps } from './observability/service-dashboard';
export { FtpsPipeline, type FtpsPipelineProps, type PipelineProbe } from './pipeline/ftps-pipeline';
export {
  type As2Agreement,
  As2Cipher,
  As2Compression,
  As2Digest,
  As2KeyTransport,
  type As2Partner,
  As2Receipt,
  type As2Settings,
} from './protocols/as2-settings';
export { ClientCertificates } from './protocols/client-certificates';
export type { HttpsLinks, HttpsSettings } from './protocols/https-settings';
export type { SftpSettings, SftpUserCertificates } from './protocols/sftp-settings';
export type { ServerOverrides } from './server-overrides';
export { DataTlsReuse, type FtpsServerSettings, TlsPolicy, VirusScan } from './server-settings';
export { HostKeys, type HostKeysProps } from './sftp/host-keys';
export { FtpsStageParts } from './stage-parts';
export {
  type EfsStorageProps,
  type ExistingFileSystemProps,
  FileStorage,
  FileThroughput,
  type IFileStorage,
  type StorageSettings,
} from './storage/file-storage';
export { S3Storage, type S3StorageProps } from './storage/s3-storage';
export type { OnUploadReleasedOptions } from './storage/upload-released';
export type { UploadWebhook } from './storage/upload-webhook';
