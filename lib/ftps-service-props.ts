/** What a service is told. */
import type { InstanceType, IPrefixList, ISubnet, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { IEventBus, Schedule } from 'aws-cdk-lib/aws-events';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IHostedZone } from 'aws-cdk-lib/aws-route53';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { As2Keys } from './as2/keys';
import type { ClientTrust } from './certificate/client-trust';
import type { ServerCertificate } from './certificate/server-certificate';
import type { DnsRouting } from './endpoint/dns-routing';
import type { IFtpsEndpoint } from './endpoint/endpoint';
import type { IFtpsAccounts } from './identity/accounts';
import type { SharedLockouts } from './identity/shared-lockouts';
import type { ImageSettings, Processor } from './image/server-image';
import type { AuditLog } from './logs/audit-log';
import type { ServiceFirewall } from './network/service-firewall';
import type { AlarmThresholds } from './observability/service-alarms';
import type { FtpsServerSettings } from './server-settings';
import type { HostKeys } from './sftp/host-keys';
import type { IFileStorage } from './storage/file-storage';
import type { UploadWebhook } from './storage/upload-webhook';

/** What `FtpsService` is told. */
export interface FtpsServiceProps {
  /** Host name that clients connect to. */
  readonly domainName: string;
  /**
   * Zone of the host name; the certificate is validated in it and the addresses are recorded in it.
   * @default - none; then `certificate` must be given, and the addresses are recorded by you
   */
  readonly hostedZone?: IHostedZone;
  /** Networks that clients come from, in CIDR form. */
  readonly clientCidrs: string[];
  /**
   * Whether `clientCidrs` may contain the whole internet.
   * @default false
   */
  readonly allowPublicAccess?: boolean;
  /**
   * Settings of the server: ports, TLS, limits, SFTP, HTTPS, AS2.
   * @default - explicit on 21, implicit on 990, passive 50000-50015, no SFTP, no HTTPS, no AS2
   */
  readonly server?: FtpsServerSettings;
  /**
   * How many instances serve. More than one needs shared storage.
   * @default 2
   */
  readonly instances?: number;
  /**
   * Instance type.
   * @default - c7g.large; c7i.large where `processor` says x86_64
   */
  readonly instanceType?: InstanceType;
  /**
   * Processor of the instances and their image.
   * @default - that of `instanceType`
   */
  readonly processor?: Processor;
  /**
   * When the image is built anew with all patches, by `Schedule.cron`, in UTC.
   * @default - Sundays at 03:00
   */
  readonly patchSchedule?: Schedule;
  /**
   * What goes into the image of the instances, and who else gets it. With `TlsPolicy.FIPS` it boots in FIPS mode unless told otherwise.
   * @default - see ImageSettings
   */
  readonly image?: ImageSettings;
  /**
   * Subnet in which images are built. A machine that is started there must get out, by NAT or because the subnet gives it a public address.
   * @default - the one of the network that is made, one with NAT, or, where instances are isolated, theirs
   */
  readonly imageBuildSubnet?: ISubnet;
  /**
   * Free range of `vpc`, `10.0.255.0/28` for example, for a subnet in which images are built, where `vpc` has none with a way out.
   * @default - none is made
   */
  readonly imageBuildCidr?: string;
  /**
   * Rules that a security group may have in this account, where the quota was raised.
   * @default 60
   */
  readonly securityGroupRules?: number;
  /**
   * Whether instances have IPv6 addresses as well, each with a record of the host name. A `vpc` of yours must have IPv6 in its subnets.
   * @default false
   */
  readonly ipv6?: boolean;
  /**
   * Network Firewall of the `ServiceNetwork` that the service lies in; it is opened for the same ports and clients as the security group.
   * @default - none
   */
  readonly networkFirewall?: ServiceFirewall;
  /**
   * Network to serve in.
   * @default - a new one: public subnets in two zones, no NAT, flow logs
   */
  readonly vpc?: IVpc;
  /**
   * Subnets of the instances.
   * @default - public subnets
   */
  readonly vpcSubnets?: SubnetSelection;
  /**
   * Further host names, covered by the certificate.
   * @default - none
   */
  readonly alternativeNames?: string[];
  /**
   * The certificate of the server.
   * @default - a public certificate of ACM with an RSA key for `domainName` and `alternativeNames`
   */
  readonly certificate?: ServerCertificate;
  /**
   * Served beside it. Of certificates for the very same names the client's abilities choose (an ECDSA one for new clients, the RSA one
   * for old ones); of others the name that the client asks for.
   * @default - none
   */
  readonly additionalCertificates?: ServerCertificate[];
  /**
   * The authorities whose client certificates are taken.
   * @default - none; clients log in with passwords
   */
  readonly clientTrust?: ClientTrust;
  /**
   * Keys by which clients of SFTP (`server.sftp`) know the service: `HostKeys.generated`, or `HostKeys.fromSecret` with those of the server that it replaces.
   * @default - made once, and kept when the stack is deleted
   */
  readonly hostKeys?: HostKeys;
  /**
   * Keys that messages of AS2 (`server.as2`) are signed and decrypted by: `As2Keys.generated`, or `As2Keys.fromSecret` with those that partners know already.
   * @default - made once, changed once a year, and kept when the stack is deleted
   */
  readonly as2Keys?: As2Keys;
  /**
   * Where the files are: `FileStorage.efs`, `FileStorage.localDisk` or an `S3Storage`.
   * @default - EFS
   */
  readonly storage?: IFileStorage;
  /**
   * Bus that is told of every upload that became visible.
   * @default - that of the storage; of storages without one the default bus of the account, from the first `onUploadReleased` on
   */
  readonly eventBus?: IEventBus;
  /**
   * Endpoints outside of AWS that are told of every upload that became visible, by signed messages (Standard Webhooks). The servers tell them, so not where
   * a Lambda lets uploads become visible (`S3Storage` with `malwareProtection`).
   * @default - none
   */
  readonly webhooks?: UploadWebhook[];
  /**
   * Who may log in: `SecretAccounts`, `DirectoryAccounts`, or several by `FtpsAccounts.inOrder`.
   * @default - accounts in Secrets Manager
   */
  readonly accounts?: IFtpsAccounts;
  /**
   * Lock-outs that all instances share.
   * @default - a table, where there are several instances
   */
  readonly sharedLockouts?: SharedLockouts;
  /**
   * Where the audit goes and how long it is kept.
   * @default - a year in CloudWatch Logs and a year in an unchangeable archive
   */
  readonly auditLog?: AuditLog;
  /**
   * Managed prefix lists with client networks, beside `clientCidrs`.
   * @default - none
   */
  readonly clientPrefixLists?: IPrefixList[];
  /**
   * Most instances that there may be; with more than `instances` the service grows by its traffic.
   * @default - as many as `instances`
   */
  readonly maxInstances?: number;
  /**
   * Instances that stand by, stopped.
   * @default 0
   */
  readonly warmInstances?: number;
  /**
   * Where partners connect: `ElasticAddresses`, `FtpsLoadBalancer` or `PrivateAddresses`.
   * @default - Elastic IP addresses, as many as there may be instances
   */
  readonly endpoint?: IFtpsEndpoint;
  /**
   * How Route 53 chooses between services that share the host name: by weights, or one after the other.
   * @default - the addresses of all of them are answered
   */
  readonly dnsRouting?: DnsRouting;
  /**
   * Whether flow logs of `vpc` are kept beside the audit.
   * @default false; the network that is made where no `vpc` is given has flow logs of its own
   */
  readonly flowLogs?: boolean;
  /**
   * Who is told of alarms.
   * @default - a new topic, `service.alarms.topic`
   */
  readonly alarmTopic?: ITopic;
  /**
   * Addresses that get a mail for each alarm.
   * @default - none
   */
  readonly alarmEmails?: string[];
  /**
   * How many failures of a kind within five minutes are alarming.
   * @default - see AlarmThresholds
   */
  readonly alarmThresholds?: AlarmThresholds;
  /**
   * Key that encrypts whatever the service keeps: files, accounts, certificate, logs, archive, disks, images, alarms, failures. Parts that you
   * make yourself are told theirs. A key of this app gets the statements that it needs in its policy; what another's needs, `ftps key-policy` prints.
   * A file system in EFS that is deployed takes no other key: see `filesEncryptionKey`.
   * @default - a key for each part
   */
  readonly encryptionKey?: IKey;
  /**
   * Key that encrypts the files in EFS that the service makes itself. EFS takes no other key later: a file system that is deployed is replaced by
   * a new, empty one beside it. To leave files where they are, give the key that they have.
   * @default - `encryptionKey`, or a new one
   */
  readonly filesEncryptionKey?: IKey;
}
