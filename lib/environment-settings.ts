/** What differs between environments. How one is made of what all share, and checked: lib/environment.ts. */
import type { Duration, Environment } from 'aws-cdk-lib';
import type { InstanceType, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { Schedule } from 'aws-cdk-lib/aws-events';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { DnsRouting } from './endpoint/dns-routing';
import type { ImageSettings } from './image/server-image';
import type { AlarmThresholds } from './observability/service-alarms';
import type { FtpsServerSettings } from './server-settings';
import type { FileThroughput } from './storage/file-storage';

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
