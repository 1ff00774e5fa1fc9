/** Every key that an environment can have, those of its server included, each with its kind. A new setting without a line here does not compile. */
import type { FtpsEnvironmentSettings } from '../environment-settings';
import type { As2Agreement, As2Partner, As2Settings } from '../protocols/as2-settings';
import type { HttpsLinks, HttpsSettings } from '../protocols/https-settings';
import type { SftpSettings, SftpUserCertificates } from '../protocols/sftp-settings';
import type { FtpsServerSettings } from '../server-settings';
import type { Kind } from './kinds';

type KeysOf<Settings> = Readonly<Record<keyof Settings, Kind>>;

export const environmentKeys: KeysOf<FtpsEnvironmentSettings> = {
  name: 'text',
  stackName: 'text',
  dataStackName: 'text',
  env: 'object',
  domainName: 'text',
  alternativeNames: 'list of texts',
  ecdsaCertificate: 'true or false',
  hostedZoneId: 'text',
  zoneName: 'text',
  clientCidrs: 'list of texts',
  allowPublicAccess: 'true or false',
  endpoint: 'text',
  dnsRouting: 'object',
  ipv6: 'true or false',
  networkFirewall: 'true or false',
  securityGroupRules: 'number',
  instances: 'number',
  maxInstances: 'number',
  vpcSubnets: 'object',
  imageBuildCidr: 'text',
  image: 'object',
  storage: 'text',
  instanceType: 'InstanceType',
  fileThroughput: 'text',
  patchSchedule: 'Schedule',
  server: 'object',
  logRetention: 'number',
  archiveRetention: 'Duration',
  alarmEmails: 'list of texts',
  alarmThresholds: 'object',
  protect: 'true or false',
  reserveConcurrency: 'true or false',
  tags: 'object',
};

export const serverKeys: KeysOf<FtpsServerSettings> = {
  explicitPort: 'number',
  implicitPort: 'number',
  passivePorts: 'PassivePorts',
  justInTimeFirewall: 'true or false',
  advertisedAddress: 'text',
  tlsPolicy: 'text',
  virusScan: 'text',
  clientCertificates: 'text',
  dataTlsReuse: 'text',
  maxSessions: 'number',
  drainTimeout: 'Duration',
  idleTimeout: 'Duration',
  banner: 'text',
  sftp: 'object',
  https: 'object',
  as2: 'object',
  overrides: 'object',
};

export const sftpKeys: KeysOf<SftpSettings> = {
  port: 'number',
  scp: 'true or false',
  userCertificates: 'object',
};

export const userCertificateKeys: KeysOf<SftpUserCertificates> = {
  authorities: 'list of texts',
  revoked: 'list of texts',
  revocationList: 'text',
};

export const httpsKeys: KeysOf<HttpsSettings> = {
  port: 'number',
  clientCertificates: 'text',
  requestsPerMinute: 'number',
  signInTimeout: 'Duration',
  signInIdleTimeout: 'Duration',
  uploadIdleTimeout: 'Duration',
  links: 'object',
  issuers: 'list of objects',
};

export const linkKeys: KeysOf<HttpsLinks> = {
  defaultDuration: 'Duration',
  maxDuration: 'Duration',
  maxUses: 'number',
  maxPerAccount: 'number',
};

export const as2Keys: KeysOf<As2Settings> = {
  as2Id: 'text',
  agreements: 'list of objects',
  port: 'number',
  plainPort: 'number',
  path: 'text',
  url: 'text',
  maxMessageSize: 'Size',
  keepFor: 'Duration',
  keepMessagesUpTo: 'Size',
  restartFrom: 'Size',
  restartSpace: 'Size',
  restartWait: 'Duration',
};

export const as2AgreementKeys: KeysOf<As2Agreement> = {
  partner: 'object',
  account: 'text',
  requireSigned: 'true or false',
  requireEncrypted: 'true or false',
  digests: 'list of texts',
  ciphers: 'list of texts',
  sign: 'true or false',
  signDigest: 'text',
  encrypt: 'true or false',
  encryptCipher: 'text',
  keyTransport: 'text',
  compression: 'text',
  base64: 'true or false',
  contentType: 'text',
  contentTypes: 'object',
  subject: 'text',
  receipt: 'text',
  receiptSigned: 'true or false',
  receiptWait: 'Duration',
  inbox: 'text',
  outbox: 'text',
  sent: 'text',
  removeSent: 'true or false',
  failed: 'text',
  attempts: 'number',
  firstWait: 'Duration',
  longestWait: 'Duration',
  restartReceived: 'true or false',
  restartSent: 'true or false',
};

export const as2PartnerKeys: KeysOf<As2Partner> = {
  as2Id: 'text',
  url: 'text',
  certificates: 'list of texts',
  encryptionCertificate: 'text',
  tlsCa: 'text',
  receiptHosts: 'list of texts',
  allowPlainHttp: 'true or false',
  allowExpired: 'true or false',
};
