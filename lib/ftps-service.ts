/** The whole service in one construct: network, image, certificate, instances, addresses, storage, accounts, logs. */

import { Annotations, CfnOutput, Duration, Lazy, Stack, Token } from 'aws-cdk-lib';
import type { Alarm, Dashboard, IAlarmAction, IMetric, Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import {
  type Connections,
  type IConnectable,
  InstanceArchitecture,
  InstanceType,
  type IPrefixList,
  type ISecurityGroup,
  type ISubnet,
  type IVpc,
  Peer,
  Port,
  SecurityGroup,
  type SubnetSelection,
  SubnetType,
} from 'aws-cdk-lib/aws-ec2';
import { EventBus, type IEventBus, Rule, type Schedule } from 'aws-cdk-lib/aws-events';
import type { IGrantable, IPrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IHostedZone } from 'aws-cdk-lib/aws-route53';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { ServerConfig } from '../server/config';
import { As2Keys } from './as2/keys';
import { partnerPorts } from './as2/partner-ports';
import { endingSoon } from './as2/partner-settings';
import { PartnersFile } from './as2/partners-file';
import type { ClientTrust } from './certificate/client-trust';
import { ServerCertificate } from './certificate/server-certificate';
import { acknowledgeHouseRules } from './compliance/house-rules';
import { encryptBelow, givenKey } from './encryption/given-key';
import type { DnsRouting } from './endpoint/dns-routing';
import { ElasticAddresses } from './endpoint/elastic-addresses';
import type { IFtpsEndpoint } from './endpoint/endpoint';
import { FtpsLoadBalancer } from './endpoint/load-balancer';
import { ImageRollout } from './fleet/image-rollout';
import { ServerFleet } from './fleet/server-fleet';
import { SessionLog } from './fleet/session-log';
import { startScript } from './fleet/start-script';
import { FtpsAccounts, type IFtpsAccounts } from './identity/accounts';
import { SecretAccounts } from './identity/secret-accounts';
import { grantReadOf } from './identity/secrets-key';
import { SharedLockouts } from './identity/shared-lockouts';
import { issuerSecrets } from './identity/token-issuer';
import { type ImageSettings, Processor, ServerImage } from './image/server-image';
import { refuseUnknownProps } from './known-props';
import { refuseTooMuchUserData } from './quotas';
import { AuditLog } from './logs/audit-log';
import { stableName } from './names';
import { BuildSubnet, subnetWithAWayOut } from './network/build-subnet';
import { outwardOf, peerOf } from './network/outward';
import { PassivePorts } from './network/passive-ports';
import { refusePublicAccess } from './network/public-access';
import { FtpsSecurityGroup } from './network/security-group';
import type { ServiceFirewall } from './network/service-firewall';
import { ServiceNetwork } from './network/service-network';
import type { ServicePort } from './network/service-port';
import { type AlarmThresholds, ServiceAlarms } from './observability/service-alarms';
import { ServiceDashboard } from './observability/service-dashboard';
import { furtherProtocols, protocols } from './protocols/all';
import { keepOnceDeployed } from './removal';
import { serverConfig } from './server-config';
import { type FtpsServerSettings, TlsPolicy } from './server-settings';
import { HostKeys } from './sftp/host-keys';
import { grantReadOfRevocations } from './sftp/revocation-list';
import { FileStorage, type IFileStorage } from './storage/file-storage';
import { type OnUploadReleasedOptions, uploadPattern } from './storage/upload-released';
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

/** The whole service in one construct: network, image, certificate, instances, addresses, storage, accounts, logs, alarms. */
export class FtpsService extends Construct implements IConnectable, IGrantable {
  /** The network. */
  public readonly vpc: IVpc;
  /** Which ports are open to whom. */
  public readonly securityGroup: FtpsSecurityGroup;
  /** The first of the certificates. */
  public readonly certificate: ServerCertificate;
  /** All of them. */
  public readonly certificates: ServerCertificate[];
  /** The authorities whose client certificates are taken. */
  public readonly clientTrust?: ClientTrust;
  /** Keys by which clients of SFTP know the service, where it is on. */
  public readonly hostKeys?: HostKeys;
  /** Keys that messages of AS2 are signed and decrypted by, where it is on. */
  public readonly as2Keys?: As2Keys;
  /** Where the files are. */
  public readonly storage: IFileStorage;
  /** Who may log in. */
  public readonly accounts: IFtpsAccounts;
  /** Lock-outs that all instances share. */
  public readonly sharedLockouts?: SharedLockouts;
  /** Where the audit goes. */
  public readonly auditLog: AuditLog;
  /** What the instances start from. */
  public readonly image: ServerImage;
  /** The instances. */
  public readonly fleet: ServerFleet;
  /** Sessions of Session Manager on the instances; `sessionLog.grantStart` lets somebody start them. */
  public readonly sessionLog: SessionLog;
  /** Brings new images to the instances. */
  public readonly rollout: ImageRollout;
  /** Where partners connect. */
  public readonly endpoint: IFtpsEndpoint;
  /** Who is called when, and for what. */
  public readonly alarms: ServiceAlarms;
  /** How the service does, on one page. */
  public readonly dashboard: Dashboard;
  /** Control ports, as configured. */
  public readonly controlPorts: number[];
  /** The passive range. */
  public readonly passivePorts: PassivePorts;
  /** Ports of other protocols than FTPS, those of SFTP, HTTPS and AS2 for example. */
  public readonly furtherPorts: ServicePort[];
  /** Those of the instances, for rules of yours: `service.connections.allowTo(proxy, Port.tcp(443))`. */
  public readonly connections: Connections;
  /** The role of the instances, for grants of other constructs: `bucket.grantRead(service)`. */
  public readonly grantPrincipal: IPrincipal;

  private readonly as2Partners?: PartnersFile;
  private readonly givenBus?: IEventBus;
  private toldByServers?: IEventBus;

  constructor(scope: Construct, id: string, props: FtpsServiceProps) {
    super(scope, id);
    refuseUnknownProps(props, 'FtpsServiceProps');
    const { domainName, hostedZone, clientCidrs } = props;
    const instances = props.instances ?? 2;
    const machine = machineOf(props);
    refuseWrongSettings(props, instances);
    acknowledgeHouseRules(this);
    encryptBelow(this, props.encryptionKey);
    this.vpc = props.vpc ?? new ServiceNetwork(this, 'Network', { ipv6: props.ipv6 }).vpc;
    const vpcSubnets = props.vpcSubnets ?? { subnetType: SubnetType.PUBLIC };
    this.certificate =
      props.certificate ?? ServerCertificate.publicAcm(this, 'Certificate', { domainName, alternativeNames: props.alternativeNames, hostedZone: hostedZone! });
    this.certificates = [this.certificate, ...(props.additionalCertificates ?? [])];
    this.clientTrust = props.clientTrust;
    this.storage = props.storage ?? FileStorage.efs(this, 'Files', { vpc: this.vpc, vpcSubnets, encryptionKey: props.filesEncryptionKey });
    this.accounts = props.accounts ?? new SecretAccounts(this, 'Accounts');
    this.sharedLockouts = props.sharedLockouts ?? (instances > 1 ? new SharedLockouts(this, 'Lockouts') : undefined);
    this.auditLog = props.auditLog ?? new AuditLog(this, 'Logs');
    if (props.server?.sftp) this.hostKeys = props.hostKeys ?? HostKeys.generated(this, 'HostKeys');
    if (props.server?.as2) this.as2Keys = props.as2Keys ?? As2Keys.generated(this, 'As2Keys');
    if (props.eventBus && this.storage.eventBus) throw new Error('eventBus: the storage has a bus of its own already; say it there alone');
    if (instances > 1 && !this.storage.isShared)
      throw new Error(`instances: ${instances} instances would each have files of their own on a local disk; use FileStorage.efs, or instances: 1`);

    const maxInstances = props.maxInstances ?? instances;
    this.endpoint = props.endpoint ?? new ElasticAddresses(this, 'Addresses', { count: maxInstances });
    if (this.endpoint instanceof ElasticAddresses && this.endpoint.addresses.length < maxInstances)
      throw new Error(`endpoint: ${this.endpoint.addresses.length} addresses are too few for ${maxInstances} instances; each takes one`);
    // Its Lambda lies below it, and it is connected here.
    if (!givenKey(this.endpoint)) encryptBelow(this.endpoint, props.encryptionKey);
    const groupName = `${stableName(this)}-Fleet`.replaceAll('/', '-');

    // From here on, every port comes out of this one object.
    const config = serverConfig(props.server ?? {}, {
      clientTrust: props.clientTrust && { authorities: props.clientTrust.authorities, revocations: props.clientTrust.revocations },
      certificateSecretIds: this.certificates.map(({ secret }) => secret.secretArn),
      storage: this.storage.settings,
      identity: this.accounts.sources(),
      lockoutTable: this.sharedLockouts?.table.tableName,
      webhooks: props.webhooks,
      advertisedAddress: this.endpoint.advertisedAddress,
      as2KeysSecretId: this.as2Keys?.secret.secretArn,
      domainName,
      hostKeySecretId: this.hostKeys?.secret.secretArn,
      lifecycle: { kind: 'auto-scaling', group: groupName, hook: ServerFleet.DRAIN_HOOK },
    });
    if (config.active.enabled && this.endpoint instanceof FtpsLoadBalancer)
      throw new Error(
        'server.overrides.active.enabled: connections to clients would come from the instances and not from the addresses of the load balancer that they know; take ElasticAddresses, or leave active mode out',
      );
    this.controlPorts = config.listeners.map(({ port }) => port);
    this.passivePorts = PassivePorts.parse(config.passive.ports);
    const further = furtherProtocols(config);
    this.furtherPorts = further.flatMap((one) => one.openings(config).map(({ low, sticky }) => ({ protocol: one.name, port: low, sticky })));
    if (config.sftp) this.hostKeys?._serve(domainName, config.sftp.port, config.tls.policy === 'fips');
    if (config.as2) this.as2Keys?._serve(config.as2.identity.as2Id);
    if (config.as2 && config.as2.partners.length > 0) this.as2Partners = new PartnersFile(this, 'As2Partners', config.as2.partners);
    for (const words of endingSoon(config.as2?.partners ?? [])) Annotations.of(this).addWarningV2('cdk-ftps:as2-certificate', words);

    const { endpoint } = this;
    const door = endpoint.hasDoor && Stack.of(endpoint) !== Stack.of(this) && Construct.isConstruct(endpoint) ? endpoint : this;
    const outward = outwardOf(config);
    const anywhere = outward.flatMap(({ port, cidrs }) => (cidrs.length === 0 ? [port] : []));
    const ports = {
      controlPorts: this.controlPorts,
      passivePorts: this.passivePorts,
      furtherPorts: this.furtherPorts,
      outboundPorts: [...new Set([...partnerPorts(config), ...anywhere])],
    };
    this.securityGroup = new FtpsSecurityGroup(door, 'SecurityGroup', {
      allowPublicAccess: props.allowPublicAccess,
      vpc: this.vpc,
      ...ports,
      clientCidrs,
      clientPrefixLists: props.clientPrefixLists,
      maxRules: props.securityGroupRules,
      ipv6: props.ipv6,
      activeMode: config.active.enabled,
    });
    if (props.networkFirewall && props.clientPrefixLists)
      throw new Error(
        'clientPrefixLists: the network firewall knows clients by clientCidrs alone; write the networks of the lists there, or leave the firewall out',
      );
    props.networkFirewall?.open({ ...ports, clientCidrs, activeMode: config.active.enabled });
    const instanceGroup = endpoint.open(this.securityGroup, { ...ports, instanceScope: this });
    this.image = new ServerImage(this, 'Image', {
      fips: props.server?.tlsPolicy === TlsPolicy.FIPS, // the server refuses to run where the system does not behave so
      virusScanner: config.antivirus.kind === 'clamd',
      ...props.image,
      processor: machine.processor,
      schedule: props.patchSchedule,
      subnet: this.whereToBuild(props, vpcSubnets),
      securityGroup: buildSecurityGroup(this, this.vpc),
    });
    this.rollout = new ImageRollout(this, 'Rollout', {
      image: this.image,
      groupName,
      minHealthyPercentage: ServerFleet.minHealthyPercentage(instances),
    });
    this.fleet = this.makeFleet(props, config, { vpcSubnets, instances, groupName, securityGroup: instanceGroup, instanceType: machine.instanceType });
    this.connections = this.fleet.connections;
    this.grantPrincipal = this.fleet.grantPrincipal;
    this.endpoint.connect({ fleet: this.fleet, domainName, hostedZone, ipv6: props.ipv6, dnsRouting: props.dnsRouting });
    this.sessionLog = new SessionLog(this, 'Sessions', { instanceRole: this.fleet.role, groupName });
    if (maxInstances > instances) this.fleet.scaleOnSessions(this.auditLog.metricSessions(), config.limits.sessions);
    this.grants();
    for (const secret of new Set([...(props.webhooks ?? []).flatMap(({ signingSecrets }) => signingSecrets), ...issuerSecrets(props.server?.https?.issuers)]))
      grantReadOf(secret, this.fleet.role);
    for (const { port, cidrs } of outward) for (const peer of cidrs.map(peerOf)) this.fleet.connections.allowTo(peer, Port.tcp(port), 'Webhook');
    const revocations = config.sftp?.userCertificates.revocationList;
    if (revocations !== undefined) grantReadOfRevocations(this.fleet.role, revocations);
    this.givenBus = props.eventBus;
    if (props.eventBus) this.tellOfUploads();
    if (props.flowLogs) this.auditLog.addFlowLogs('FlowLogs', this.vpc);
    props.clientTrust?.grantRead(this.fleet.role);
    for (const { name } of further) this.auditLog.addProtocol(name);
    if (props.webhooks?.length) this.auditLog.addWebhooks();
    this.alarms = new ServiceAlarms(this, 'Alarms', {
      auditLog: this.auditLog,
      instances,
      groupName,
      heartbeatInterval: Duration.seconds(config.audit.heartbeatSeconds),
      thresholds: props.alarmThresholds,
      as2Partners: config.as2?.partners.map(({ as2Id }) => as2Id),
      topic: props.alarmTopic,
      emails: props.alarmEmails,
    });
    this.rollout.connect(
      this.fleet,
      this.alarms.alarms.filter(({ node }) => ROLL_BACK_ON.includes(node.id)),
    );
    const parts = [
      this,
      ...this.certificates,
      this.endpoint,
      this.storage,
      this.accounts,
      ...(this.clientTrust ? [this.clientTrust] : []),
      ...(this.hostKeys ? [this.hostKeys] : []),
      ...(this.as2Keys ? [this.as2Keys] : []),
    ];
    for (const part of parts) {
      this.alarms.adopt(part);
      if (!part.node.scopes.includes(this)) acknowledgeHouseRules(part);
      keepOnceDeployed(part);
    }
    const { accounts } = this;
    if (accounts instanceof FtpsAccounts)
      accounts._serve({
        fips: config.tls.policy === 'fips',
        // Of a third stack, which needs the accounts, nothing is heard here: the two would need each other.
        adopt: (construct) => {
          if ([this, accounts, this.alarms.topic].some((one) => Stack.of(one) === Stack.of(construct))) this.alarms.adopt(construct);
        },
      });
    this.dashboard = new ServiceDashboard(this, 'Dashboard', {
      auditLog: this.auditLog,
      heartbeatInterval: Duration.seconds(config.audit.heartbeatSeconds),
      title: domainName,
      alarms: [this.alarms.attack, ...this.alarms.alarms],
    }).dashboard;
    this.outputs(domainName, config);
  }

  /** Lets every alarm of the service do something when it begins and when it ends; they tell `alarms.topic` in any case. */
  public addAlarmAction(action: IAlarmAction): void {
    this.alarms.addAlarmAction(action);
  }

  /** An alarm of yours that calls the same people. It goes off at or above the threshold. */
  public addAlarm(id: string, metric: IMetric, threshold: number, description: string): Alarm {
    return this.alarms.addAlarm(id, metric, threshold, description);
  }

  /**
   * Hears of every upload that became visible, on whatever storage, at least once: an event `FTPS Upload Released` of EventBridge, as
   * docs/upload-released.schema.json has it. Its `id` is the same each time that it comes.
   */
  public onUploadReleased(id: string, options: OnUploadReleasedOptions = {}): Rule {
    refuseUnknownProps(options, 'OnUploadReleasedOptions');
    const { crossStackScope, ruleName, description, eventPattern, target } = options;
    const rule = new Rule(crossStackScope ?? this, id, { ruleName, description, eventBus: this.tellOfUploads(), eventPattern });
    rule.addEventPattern(uploadPattern(stableName(this.storage), options));
    if (target) rule.addTarget(target);
    return rule;
  }

  /** Sessions that are open on an instance. Average over 5 minutes; the maximum is that of the busiest instance. */
  public metricSessions(options?: MetricOptions): Metric {
    return this.auditLog.metricSessions(options);
  }

  /** Logins that succeeded. Sum over 5 minutes. */
  public metricLogins(options?: MetricOptions): Metric {
    return this.auditLog.metricLogins(options);
  }

  /** Logins that were refused. Sum over 5 minutes. */
  public metricFailedLogins(options?: MetricOptions): Metric {
    return this.auditLog.metricFailedLogins(options);
  }

  /** TLS handshakes that failed. Sum over 5 minutes. */
  public metricHandshakeFailures(options?: MetricOptions): Metric {
    return this.auditLog.metricHandshakeFailures(options);
  }

  /** Uploads that succeeded. Sum over 5 minutes. */
  public metricUploads(options?: MetricOptions): Metric {
    return this.auditLog.metricUploads(options);
  }

  /** Downloads that succeeded. Sum over 5 minutes. */
  public metricDownloads(options?: MetricOptions): Metric {
    return this.auditLog.metricDownloads(options);
  }

  /** Bytes that came in. Sum over 5 minutes. */
  public metricBytesUploaded(options?: MetricOptions): Metric {
    return this.auditLog.metricBytesUploaded(options);
  }

  /** Bytes that went out. Sum over 5 minutes. */
  public metricBytesDownloaded(options?: MetricOptions): Metric {
    return this.auditLog.metricBytesDownloaded(options);
  }

  /** Transfers that failed or were cut. Sum over 5 minutes. */
  public metricTransferErrors(options?: MetricOptions): Metric {
    return this.auditLog.metricTransferErrors(options);
  }

  /** Days that the certificate served on the instances has left. Minimum over 2 hours. */
  public metricCertificateDaysLeft(options?: MetricOptions): Metric {
    return this.auditLog.metricCertificateDaysLeft(options);
  }

  /** The bus that is told of uploads: the storage's own, or, where the servers tell, the one given or the account's, which they may write to from now on. */
  private tellOfUploads(): IEventBus {
    if (this.storage.eventBus) return this.storage.eventBus;
    if (!this.toldByServers) {
      this.toldByServers = this.givenBus ?? EventBus.fromEventBusName(this, 'DefaultBus', 'default');
      this.toldByServers.grantPutEventsTo(this.fleet.role);
    }
    return this.toldByServers;
  }

  private whereToBuild({ imageBuildSubnet, imageBuildCidr }: FtpsServiceProps, instances: SubnetSelection): ISubnet {
    if (imageBuildSubnet) return imageBuildSubnet;
    if (imageBuildCidr) return new BuildSubnet(this, 'Build', { vpc: this.vpc, cidr: imageBuildCidr }).subnet;
    const found = subnetWithAWayOut(this.vpc, instances);
    if (found) return found;
    throw new Error(
      'vpc: has no subnet of which it is known that a machine gets out that is started there, so no image could be built: Image Builder asks for no public address. Give imageBuildCidr, a free range of the VPC such as 10.0.255.0/28, or imageBuildSubnet, a subnet with NAT or one that gives public addresses',
    );
  }

  /** The settings of the server, with the bus that it tells of uploads. */
  private shipped(config: ServerConfig): ServerConfig {
    const eventBus = config.afterRelease.eventBus ?? this.toldByServers?.eventBusArn;
    const { afterRelease } = config;
    const short = config.as2 ? { ...config, as2: { ...config.as2, partners: [] } } : config; // the instance puts its partners in
    if (eventBus === undefined && afterRelease.webhooks.length === 0) return short;
    return { ...short, afterRelease: { ...afterRelease, eventBus, storage: stableName(this.storage) } };
  }

  private makeFleet(
    props: FtpsServiceProps,
    config: ServerConfig,
    place: { vpcSubnets: SubnetSelection; instances: number; groupName: string; securityGroup: ISecurityGroup; instanceType: InstanceType },
  ): ServerFleet {
    const adminPort = config.admin.port!;
    const userData = startScript({
      region: Stack.of(this).region,
      // Whether uploads are told of is known when everything is said.
      settings: Lazy.uncachedString({ produce: () => JSON.stringify(this.shipped(config)) }),
      settingsCommands: this.as2Partners?.startCommands() ?? [],
      mountCommands: this.storage.mountCommands,
      endpointCommands: this.endpoint.startCommands(),
      groupName: place.groupName,
      launchHook: ServerFleet.LAUNCH_HOOK,
      agentSettings: this.auditLog.agentSettings(),
      adminPort,
      passivePorts: config.passive.ports,
    });
    refuseTooMuchUserData(this, userData);
    return new ServerFleet(this, 'Fleet', {
      vpc: this.vpc,
      ...place,
      imageId: this.rollout.imageToStartFrom(),
      userData,
      maxInstances: props.maxInstances,
      warmInstances: props.warmInstances,
      drain: Duration.seconds(config.limits.drainSeconds),
      publicAddress: this.endpoint.publicAddress,
      ipv6: props.ipv6,
    });
  }

  private grants(): void {
    const { role } = this.fleet;
    for (const certificate of this.certificates) {
      certificate.grantRead(role);
      certificate.pushTo(this.fleet.autoScalingGroup);
    }
    this.accounts.grantRead(role);
    this.accounts.allowFrom(this.fleet);
    this.sharedLockouts?.grantUse(role);
    if (this.hostKeys) {
      this.hostKeys.grantRead(role);
      this.fleet.autoScalingGroup.node.addDependency(this.hostKeys); // a server without keys does not begin
    }
    if (this.as2Keys) {
      this.as2Keys.grantRead(role);
      this.fleet.autoScalingGroup.node.addDependency(this.as2Keys);
    }
    this.as2Partners?.grantRead(role);
    this.auditLog.grantWrite(role);
    this.storage.grantReadWrite(role);
    this.storage.allowFrom(this.fleet);
  }

  private outputs(domainName: string, config: ServerConfig): void {
    new CfnOutput(this, 'HostName', { value: domainName, description: 'What clients connect to' });
    for (const { id, value, description } of protocols.flatMap((one) => one.outputs(config, domainName))) new CfnOutput(this, id, { value, description });
    this.hostKeys?._addOutputs();
    this.as2Keys?._addOutputs();
    // Beside the addresses: an output that only repeats an import from another stack says nothing.
    if (this.endpoint.addresses.length > 0)
      new CfnOutput(this.endpoint, 'AllowList', { value: this.endpoint.addresses.join(','), description: 'Addresses that partners allow' });
    this.accounts.addOutputs(this.accounts);
    this.certificates.forEach((certificate, index) => {
      const { rotationFunction } = certificate;
      if (rotationFunction)
        new CfnOutput(Stack.of(certificate) === Stack.of(this) ? this : certificate, `CertificateRotation${index === 0 ? '' : index + 1}`, {
          value: rotationFunction.functionName,
          description: 'For ftps certificate --function',
        });
    });
    new CfnOutput(this, 'SessionDocument', { value: this.sessionLog.documentName, description: 'For aws ssm start-session --document-name' });
    new CfnOutput(this, 'ImageId', { value: this.image.imageId, description: 'Image that the instances started from' });
  }
}

/** Alarms that say that a new image is worse than the one before. */
const ROLL_BACK_ON = ['HandshakeFailures', 'FailedLogins', 'TransferErrors', 'UnavailableLogins', 'WorkersLost'];

/** Machines that build images reach out, and nobody reaches them. */
function buildSecurityGroup(scope: Construct, vpc: IVpc): ISecurityGroup {
  const group = new SecurityGroup(scope, 'ImageBuildSecurityGroup', { vpc, description: 'Builds FTPS images; nothing comes in', allowAllOutbound: false });
  group.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'AWS APIs and package repositories');
  return group;
}

/** Type and processor of the instances, which must agree. */
function machineOf({ instanceType, processor }: FtpsServiceProps): { instanceType: InstanceType; processor: Processor } {
  if (!instanceType || Token.isUnresolved(instanceType.toString()))
    return {
      instanceType: instanceType ?? new InstanceType(processor === Processor.X86_64 ? 'c7i.large' : 'c7g.large'),
      processor: processor ?? Processor.ARM64,
    };
  const itsOwn = instanceType.architecture === InstanceArchitecture.X86_64 ? Processor.X86_64 : Processor.ARM64;
  if (processor !== undefined && processor !== itsOwn)
    throw new Error(`processor: ${processor} is not that of ${instanceType}, which is ${itsOwn}; leave processor out, or take another instanceType`);
  return { instanceType, processor: itsOwn };
}

function refuseWrongSettings(props: FtpsServiceProps, instances: number): void {
  const { domainName, hostedZone, certificate, clientCidrs, allowPublicAccess, dnsRouting, hostKeys, as2Keys, server } = props;
  if (!/^([a-z0-9]([a-z0-9-]*[a-z0-9])?\.)+[a-z]{2,}$/i.test(domainName))
    throw new Error(`domainName: "${domainName}" is no host name; write it as ftps.example.com`);
  if (!hostedZone && !certificate) throw new Error('hostedZone: is missing; the certificate of ACM is validated in it. Give the zone, or bring a certificate');
  if (dnsRouting && !hostedZone)
    throw new Error('dnsRouting: says how records are chosen, and without hostedZone none are made; give the zone, or leave it out');
  if (hostKeys && !server?.sftp) throw new Error('hostKeys: are those of SFTP, which is off; switch it on by server.sftp, or leave them out');
  if (as2Keys && !server?.as2) throw new Error('as2Keys: are those of AS2, which is off; switch it on by server.as2, or leave them out');
  if (clientCidrs.length === 0)
    throw new Error('clientCidrs: is empty, so nobody could connect; name the networks of your partners, for example ["203.0.113.0/24"]');
  refusePublicAccess(clientCidrs, allowPublicAccess);
  if (!Number.isInteger(instances) || instances < 1) throw new Error(`instances: ${instances} is no number of instances; write 1 or more`);
}
