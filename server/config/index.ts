/** The only part of the server that the constructs may import: what the server is told. */
export { withAbsolutePaths } from './absolute';
export { accountRules, type Permission, passwordAccount } from './accounts';
export { type CertificateExpectation, type CertificateMaterial, certificateProblems, certificatesIn, daysLeftOf } from './certificate';
export { ConfigError, checkServerConfig, describeIssue } from './check';
export { nearestName } from './nearest';
export { Networks, network, plainAddress } from './network';
export { includesPort, PASSIVE_PRESETS, type PortRange, parsePortRange, portCount, portsOf } from './port-range';
export type { Problem } from './problem';
export {
  type AccountRules,
  type AccountToken,
  type As2Config,
  type As2Partner,
  type DataTlsReuse,
  type DirectorySettings,
  type DirectorySettingsInput,
  type HttpsConfig,
  type IssuerConfig,
  type LinksConfig,
  type ListenerConfig,
  type PasswordAccount,
  type ServerConfig,
  type ServerConfigInput,
  type SftpConfig,
  type SignInWith,
  serverConfigSchema,
} from './schema';
export { publicKey, revocation } from './sftp';
export { QUARANTINED_FILES } from './storage';
