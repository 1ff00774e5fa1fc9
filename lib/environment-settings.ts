/** What differs between environments: typed, inherited from what they share, and checked before anything is made. */
import { Duration, type Environment } from 'aws-cdk-lib';
import { InstanceType, type SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { Schedule } from 'aws-cdk-lib/aws-events';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { DnsRouting } from './endpoint/dns-routing';
import type { ImageSettings } from './image/server-image';
import type { AlarmThresholds } from './observability/service-alarms';
import type { As2Agreement, As2Partner, As2Settings } from './protocols/as2-settings';
import type { HttpsLinks, HttpsSettings } from './protocols/https-settings';
import type { SftpSettings, SftpUserCertificates } from './protocols/sftp-settings';
import type { FtpsServerSettings } from './server-settings';
import { FtpsStageParts } from './stage-parts';
import { FileThroughput } from './storage/file-storage';

/** Where partners connect. */
export enum EndpointKind {
  /** An address for each instance. */
  ELASTIC_ADDRESSES = 'elastic-addresses',
  /** An address for each zone, however many instances there are; at most 48 passive ports. */
  LOAD_BALANCER = 'load-balancer',
}

/** Where the files of an environment are. */
export enum StorageKind {
  /** A file system of EFS. */
  EFS = 'efs',
  /** Buckets of S3; uploads become visible when GuardDuty has found them clean. */
  S3 = 's3',
}

/** What environments may share. */
export interface FtpsEnvironmentOptions {
  /**
   * Account and region. Environments in a pipeline need both.
   * @default - those of the deployment
   */
  readonly env?: Environment;
  /**
   * Further host names, covered by the certificate.
   * @default - none
   */
  readonly alternativeNames?: string[];
  /**
   * Whether a second certificate with an ECDSA key is served beside the RSA one. New clients choose it, and their handshakes cost less.
   * @default false
   */
  readonly ecdsaCertificate?: boolean;
  /**
   * Whether `clientCidrs` may contain the whole internet.
   * @default false
   */
  readonly allowPublicAccess?: boolean;
  /**
   * Where partners connect.
   * @default EndpointKind.ELASTIC_ADDRESSES
   */
  readonly endpoint?: EndpointKind;
  /**
   * How Route 53 chooses between environments that share the host name: by weights, or one after the other.
   * @default - the addresses of all of them are answered
   */
  readonly dnsRouting?: DnsRouting;
  /**
   * Whether instances have IPv6 addresses as well, each with a record of the host name; with `EndpointKind.ELASTIC_ADDRESSES` alone.
   * @default false
   */
  readonly ipv6?: boolean;
  /**
   * Rules that a security group may have in this account, where the quota was raised.
   * @default 60
   */
  readonly securityGroupRules?: number;
  /**
   * Whether AWS Network Firewall stands between the internet and the instances, for about 290 USD a month in each zone.
   * @default false
   */
  readonly networkFirewall?: boolean;
  /**
   * How many instances serve.
   * @default 2
   */
  readonly instances?: number;
  /**
   * Instance type. The image is for its processor.
   * @default - c7g.large
   */
  readonly instanceType?: InstanceType;
  /**
   * Most instances that there may be; with more than `instances` the service grows by its traffic.
   * @default - as many as `instances`
   */
  readonly maxInstances?: number;
  /**
   * Subnets of the instances and of the files, where the network is yours (`FtpsStageParts.vpc`).
   * @default - public subnets
   */
  readonly vpcSubnets?: SubnetSelection;
  /**
   * Free range of a network of yours, for a subnet in which images are built, where it has none with a way out.
   * @default - none is made
   */
  readonly imageBuildCidr?: string;
  /**
   * What goes into the image of the instances, and who else gets it.
   * @default - see ImageSettings
   */
  readonly image?: ImageSettings;
  /**
   * Where the files are.
   * @default StorageKind.EFS
   */
  readonly storage?: StorageKind;
  /**
   * How fast the files in EFS are, and whether moving them costs.
   * @default FileThroughput.BURSTING
   */
  readonly fileThroughput?: FileThroughput;
  /**
   * When the image is built anew with all patches, by `Schedule.cron`, in UTC.
   * @default - Sundays at 03:00 UTC
   */
  readonly patchSchedule?: Schedule;
  /**
   * Settings of the server: ports, TLS, limits.
   * @default - see FtpsServerSettings
   */
  readonly server?: FtpsServerSettings;
  /**
   * How long logs can be searched.
   * @default RetentionDays.ONE_YEAR
   */
  readonly logRetention?: RetentionDays;
  /**
   * For how long the archive of the audit can't be changed. Whole days; `Duration.days(0)` leaves it out.
   * @default Duration.days(365)
   */
  readonly archiveRetention?: Duration;
  /**
   * Addresses that get a mail for each alarm. Each has to confirm once.
   * @default - none
   */
  readonly alarmEmails?: string[];
  /**
   * How many failures of a kind within five minutes are alarming.
   * @default - see AlarmThresholds
   */
  readonly alarmThresholds?: AlarmThresholds;
  /**
   * Whether the stacks are protected against deletion, and files, logs, keys and addresses kept when they are deleted all the same.
   * @default true
   */
  readonly protect?: boolean;
  /**
   * Whether Lambdas of which two runs at once would undo each other's work have one run reserved each. Lambda refuses that in accounts with a
   * quota of fewer than about 110 runs at once, as new ones have; without it such runs are repaired by the next, after five minutes at most.
   * @default - true; false in an environment made by `FtpsEnvironment.staging`
   */
  readonly reserveConcurrency?: boolean;
  /**
   * Tags of every resource, beside `service` and `environment`.
   * @default - none
   */
  readonly tags?: { readonly [key: string]: string };
}

/** One environment. */
export interface FtpsEnvironmentSettings extends FtpsEnvironmentOptions {
  /** `staging` or `prod` for example: small letters, digits and hyphens. Names the stacks and tags every resource. */
  readonly name: string;
  /**
   * Name of the stack of the service. What is made below it is named for it.
   * @default - `ftps-` and `name`
   */
  readonly stackName?: string;
  /**
   * Name of the stack of the data.
   * @default - `stackName` and `-data`
   */
  readonly dataStackName?: string;
  /** Host name that clients connect to. */
  readonly domainName: string;
  /**
   * Id of the Route 53 zone of the host name.
   * @default - none; then `FtpsStageParts.hostedZone` gives the zone, or `FtpsStageParts.certificate` a certificate, and the addresses are recorded by you
   */
  readonly hostedZoneId?: string;
  /**
   * Name of that zone.
   * @default - none; needed with `hostedZoneId`
   */
  readonly zoneName?: string;
  /** Networks that clients come from, in CIDR form. */
  readonly clientCidrs: string[];
}

/** Environments made of what they share and what is their own; `server` and `tags` are merged key by key. */
export class FtpsEnvironment {
  /**
   * Production: two instances at least, protected, a year of unchangeable archive (PCI DSS 4.0, 10.5.1), three months of it searchable
   * at once. An Error names the setting that falls short.
   */
  public static production(shared: FtpsEnvironmentOptions, own: FtpsEnvironmentSettings): FtpsEnvironmentSettings {
    const settings = FtpsEnvironment.of(shared, own);
    const archiveDays = settings.archiveRetention?.toDays() ?? 365;
    refuse(settings.name, [
      ...ifSo((settings.instances ?? 2) < 2, 'instances', `${settings.instances} leaves nobody to serve while it is replaced; production needs 2 or more`),
      ...ifSo(settings.protect === false, 'protect', 'is false; production is protected against deletion'),
      ...ifSo(archiveDays < 365, 'archiveRetention', `${archiveDays} days are fewer than the year that PCI DSS 10.5.1 asks for`),
      ...ifSo(
        (settings.logRetention ?? RetentionDays.ONE_YEAR) < RetentionDays.THREE_MONTHS,
        'logRetention',
        `${settings.logRetention} days are fewer than the three months that PCI DSS 10.5.1 asks to be searchable; write RetentionDays.THREE_MONTHS or more`,
      ),
    ]);
    return settings;
  }

  /** A place to try things: one small instance, a month of logs, no archive, deletable. Each can be set otherwise. */
  public static staging(shared: FtpsEnvironmentOptions, own: FtpsEnvironmentSettings): FtpsEnvironmentSettings {
    const small: FtpsEnvironmentOptions = {
      instances: 1,
      instanceType: new InstanceType('t4g.small'),
      logRetention: RetentionDays.ONE_MONTH,
      archiveRetention: Duration.days(0),
      protect: false,
      reserveConcurrency: false,
    };
    return FtpsEnvironment.of(merged(small, shared), own);
  }

  /** Any other environment. An Error names every key that is missing, unknown or of the wrong kind. */
  public static of(shared: FtpsEnvironmentOptions, own: FtpsEnvironmentSettings): FtpsEnvironmentSettings {
    const settings = merged(shared, own);
    FtpsEnvironment.check(settings);
    return settings;
  }

  /** Throws an Error that names every key that is missing, unknown or of the wrong kind. What the keys mean together, the constructs check. */
  public static check(settings: FtpsEnvironmentSettings): void {
    const name = typeof settings.name === 'string' && settings.name !== '' ? settings.name : '(without a name)';
    refuse(name, [
      ...problemsOf('', settings, environmentKeys, ['name', 'domainName', 'clientCidrs']),
      ...ifSo(settings.hostedZoneId === undefined && settings.zoneName !== undefined, 'hostedZoneId', 'is missing; it belongs to zoneName'),
      ...ifSo(settings.zoneName === undefined && settings.hostedZoneId !== undefined, 'zoneName', 'is missing; it belongs to hostedZoneId'),
      ...problemsOf('server.', settings.server ?? {}, serverKeys, []),
      ...problemsOf('server.sftp.', settings.server?.sftp ?? {}, sftpKeys, []),
      ...problemsOf('server.sftp.userCertificates.', settings.server?.sftp?.userCertificates ?? {}, userCertificateKeys, []),
      ...problemsOf('server.https.', settings.server?.https ?? {}, httpsKeys, []),
      ...problemsOf('server.https.links.', settings.server?.https?.links ?? {}, linkKeys, []),
      ...as2Problems(settings.server?.as2),
      ...problemsOf('env.', settings.env ?? {}, { account: 'text', region: 'text' }, []),
      ...ifSo(
        typeof settings.endpoint === 'string' && !Object.values(EndpointKind).includes(settings.endpoint),
        'endpoint',
        `"${settings.endpoint}" is no kind of endpoint; there are ${Object.values(EndpointKind).join(', ')}`,
      ),
      ...ifSo(
        typeof settings.storage === 'string' && !Object.values(StorageKind).includes(settings.storage),
        'storage',
        `"${settings.storage}" is no kind of storage; there are ${Object.values(StorageKind).join(', ')}`,
      ),
      ...ifSo(
        settings.storage === StorageKind.S3 && settings.fileThroughput !== undefined,
        'fileThroughput',
        'is about EFS, and the files are in S3; leave one of them out',
      ),
      ...ifSo(
        typeof settings.fileThroughput === 'string' && !Object.values(FileThroughput).includes(settings.fileThroughput),
        'fileThroughput',
        `"${settings.fileThroughput}" is no throughput mode; there are ${Object.values(FileThroughput).join(', ')}`,
      ),
      ...ifSo(
        typeof settings.name === 'string' && !/^[a-z][a-z0-9-]{0,19}$/.test(settings.name),
        'name',
        `"${settings.name}" can't name stacks; use up to 20 small letters, digits and hyphens, beginning with a letter`,
      ),
    ]);
  }

  private constructor() {}
}

type Kind =
  | 'text'
  | 'list of texts'
  | 'list of objects'
  | 'number'
  | 'true or false'
  | 'object'
  | 'InstanceType'
  | 'Schedule'
  | 'Duration'
  | 'Size'
  | 'PassivePorts';

/** Every key there is. A new setting without a line here does not compile. */
const environmentKeys: Record<keyof FtpsEnvironmentSettings, Kind> = {
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

const serverKeys: Record<keyof FtpsServerSettings, Kind> = {
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

const sftpKeys: Record<keyof SftpSettings, Kind> = {
  port: 'number',
  scp: 'true or false',
  userCertificates: 'object',
};

const httpsKeys: Record<keyof HttpsSettings, Kind> = {
  port: 'number',
  clientCertificates: 'text',
  requestsPerMinute: 'number',
  signInTimeout: 'Duration',
  signInIdleTimeout: 'Duration',
  uploadIdleTimeout: 'Duration',
  links: 'object',
  issuers: 'list of objects',
};

const linkKeys: Record<keyof HttpsLinks, Kind> = {
  defaultDuration: 'Duration',
  maxDuration: 'Duration',
  maxUses: 'number',
  maxPerAccount: 'number',
};

const as2Keys: Record<keyof As2Settings, Kind> = {
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

const as2AgreementKeys: Record<keyof As2Agreement, Kind> = {
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

const as2PartnerKeys: Record<keyof As2Partner, Kind> = {
  as2Id: 'text',
  url: 'text',
  certificates: 'list of texts',
  encryptionCertificate: 'text',
  tlsCa: 'text',
  receiptHosts: 'list of texts',
  allowPlainHttp: 'true or false',
  allowExpired: 'true or false',
};

function as2Problems(as2: As2Settings | undefined): Problem[] {
  if (!isOfKind.object(as2)) return [];
  const agreements = as2!.agreements ?? [];
  const each = isOfKind['list of objects'](agreements) ? agreements : [];
  return [
    ...problemsOf('server.as2.', as2!, as2Keys, ['as2Id']),
    ...each.flatMap((one, index) => {
      const key = `server.as2.agreements[${index}].`;
      const inner = isOfKind.object(one.partner) ? problemsOf(`${key}partner.`, one.partner, as2PartnerKeys, ['as2Id']) : [];
      return [...problemsOf(key, one, as2AgreementKeys, ['partner', 'account']), ...inner];
    }),
  ];
}

const userCertificateKeys: Record<keyof SftpUserCertificates, Kind> = {
  authorities: 'list of texts',
  revoked: 'list of texts',
  revocationList: 'text',
};

const isOfKind: Record<Kind, (value: unknown) => boolean> = {
  text: (value) => typeof value === 'string' && value !== '',
  'list of texts': (value) => Array.isArray(value) && value.every((one) => typeof one === 'string' && one !== ''),
  'list of objects': (value) => Array.isArray(value) && value.every((one) => isOfKind.object(one)),
  number: (value) => typeof value === 'number' && Number.isFinite(value),
  'true or false': (value) => typeof value === 'boolean',
  object: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  // By what they can do: an app may have another copy of aws-cdk-lib than the one here.
  InstanceType: has('isBurstable'),
  Schedule: has('expressionString'),
  Duration: has('toSeconds'),
  Size: has('toMebibytes'),
  PassivePorts: has('toPort'),
};

/** How a value of a kind is written, where its name does not say so. */
const written: Partial<Record<Kind, string>> = {
  InstanceType: "new InstanceType('c7g.large') of aws-cdk-lib/aws-ec2",
  Schedule: "Schedule.cron({ weekDay: 'SUN', hour: '3', minute: '0' }) of aws-cdk-lib/aws-events",
  Duration: 'Duration.days(365) or Duration.seconds(300) of aws-cdk-lib',
  Size: 'Size.mebibytes(64) of aws-cdk-lib',
  PassivePorts: 'PassivePorts.of(50000, 50015)',
};

function has(member: string): (value: unknown) => boolean {
  return (value) => typeof value === 'object' && value !== null && member in value;
}

interface Problem {
  readonly key: string;
  readonly message: string;
}

function problemsOf(prefix: string, settings: object, kinds: Readonly<Record<string, Kind>>, required: readonly string[]): Problem[] {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  const missing = required.filter((key) => !given.some(([name]) => name === key)).map((key) => ({ key: prefix + key, message: 'is missing' }));
  const wrong = given.flatMap(([key, value]) => {
    const kind = kinds[key];
    if (!kind)
      return [
        {
          key: prefix + key,
          message: `is not a setting; ${isPart(prefix, key) ? `${key}() of a class that extends FtpsStageParts gives it` : `there are ${Object.keys(kinds).join(', ')}`}`,
        },
      ];
    return isOfKind[kind](value) ? [] : [{ key: prefix + key, message: `${JSON.stringify(value)} is wrong; expected ${written[kind] ?? kind}` }];
  });
  return [...missing, ...wrong];
}

/** Whether an environment gets it from its parts, where `FtpsService` has it among its props. */
function isPart(prefix: string, key: string): boolean {
  return prefix === '' && key !== 'constructor' && Object.hasOwn(FtpsStageParts.prototype, key);
}

function ifSo(wrong: boolean, key: string, message: string): Problem[] {
  return wrong ? [{ key, message }] : [];
}

function refuse(name: string, problems: readonly Problem[]): void {
  if (problems.length > 0) throw new Error(`Environment "${name}": ${problems.map(({ key, message }) => `${key}: ${message}`).join('\n  ')}`);
}

/** What stands on the right wins; what is undefined there does not. */
function merged<Left extends FtpsEnvironmentOptions, Right extends FtpsEnvironmentOptions>(left: Left, right: Right): Left & Right {
  const set = <Settings extends object>(settings: Settings | undefined) =>
    Object.fromEntries(Object.entries(settings ?? {}).filter(([, value]) => value !== undefined));
  const both = { ...set(left), ...set(right) } as unknown as Left & Right;
  const server = left.server && right.server ? { server: { ...set(left.server), ...set(right.server) } } : {};
  const tags = left.tags && right.tags ? { tags: { ...left.tags, ...right.tags } } : {};
  return { ...both, ...server, ...tags };
}
