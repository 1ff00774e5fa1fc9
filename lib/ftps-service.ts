/** The whole service in one construct: network, image, certificate, instances, addresses, storage, accounts, logs. Its parts are made in lib/service/. */

import type { Alarm, Dashboard, IAlarmAction, IMetric, Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { type Connections, type IConnectable, type IVpc, SubnetType } from 'aws-cdk-lib/aws-ec2';
import { Rule } from 'aws-cdk-lib/aws-events';
import type { IGrantable, IPrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { As2Keys } from './as2/keys';
import { partnersFileOf } from './as2/partners-file';
import type { ClientTrust } from './certificate/client-trust';
import { ServerCertificate } from './certificate/server-certificate';
import { acknowledgeHouseRules } from './compliance/house-rules';
import { encryptBelow, givenKey } from './encryption/given-key';
import { ElasticAddresses } from './endpoint/elastic-addresses';
import type { IFtpsEndpoint } from './endpoint/endpoint';
import { ImageRollout } from './fleet/image-rollout';
import { ServerFleet } from './fleet/server-fleet';
import { SessionLog } from './fleet/session-log';
import type { FtpsServiceProps } from './ftps-service-props';
import type { IFtpsAccounts } from './identity/accounts';
import { SecretAccounts } from './identity/secret-accounts';
import { SharedLockouts } from './identity/shared-lockouts';
import { buildPlace } from './image/build-place';
import { ServerImage } from './image/server-image';
import { refuseUnknownProps } from './known-props';
import { AuditLog } from './logs/audit-log';
import { stableName } from './names';
import type { PassivePorts } from './network/passive-ports';
import type { FtpsSecurityGroup } from './network/security-group';
import { ServiceNetwork } from './network/service-network';
import type { ServicePort } from './network/service-port';
import { warnOfMissingWayOut } from './network/way-out';
import type { ServiceAlarms } from './observability/service-alarms';
import { furtherProtocols } from './protocols/all';
import { serverConfig } from './server-config';
import { TlsPolicy } from './server-settings';
import { grantNamedInSettings, grantParts } from './service/grants';
import { makeInstances } from './service/instances';
import { machineOf } from './service/machine';
import { openPorts, servedPorts } from './service/open-ports';
import { addOutputs } from './service/outputs';
import { refuseAddressesInside, refuseTooFewAddresses, refuseUnfitEndpoint, refuseUnfitStorage, refuseWrongSettings } from './service/refuse-wrong-settings';
import { watch } from './service/watch';
import { HostKeys } from './sftp/host-keys';
import { FileStorage, type IFileStorage } from './storage/file-storage';
import { UploadBus } from './storage/upload-bus';
import { type OnUploadReleasedOptions, uploadPattern } from './storage/upload-released';

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

  private readonly uploads: UploadBus;

  constructor(scope: Construct, id: string, props: FtpsServiceProps) {
    super(scope, id);
    refuseUnknownProps(props, 'FtpsServiceProps');
    const { domainName, hostedZone } = props;
    const instances = props.instances ?? 2;
    const maxInstances = props.maxInstances ?? instances;
    const machine = machineOf(props);
    refuseWrongSettings(props, instances);
    acknowledgeHouseRules(this);
    encryptBelow(this, props.encryptionKey);

    // What is given, or made.
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
    refuseUnfitStorage(this.storage, props, instances);
    this.uploads = new UploadBus(this, this.storage, props.eventBus);
    this.endpoint = props.endpoint ?? new ElasticAddresses(this, 'Addresses', { count: maxInstances });
    refuseTooFewAddresses(this.endpoint, maxInstances);
    refuseAddressesInside(this.endpoint, this.vpc, vpcSubnets);
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
    refuseUnfitEndpoint(this.endpoint, config);
    const ports = servedPorts(config);
    this.controlPorts = ports.controlPorts;
    this.passivePorts = ports.passivePorts;
    this.furtherPorts = ports.furtherPorts;
    if (config.sftp) this.hostKeys?._serve(domainName, config.sftp.port, config.tls.policy === 'fips');
    if (config.as2) this.as2Keys?._serve(config.as2.identity.as2Id);
    const as2Partners = partnersFileOf(this, 'As2Partners', config);
    const { securityGroup, instanceGroup } = openPorts(this, props, ports, { vpc: this.vpc, endpoint: this.endpoint, config });
    this.securityGroup = securityGroup;
    warnOfMissingWayOut(this, { vpc: this.vpc, vpcSubnets, publicAddress: this.endpoint.publicAddress }, config);

    // The instances, and what they start from.
    this.image = new ServerImage(this, 'Image', {
      fips: props.server?.tlsPolicy === TlsPolicy.FIPS, // the server refuses to run where the system does not behave so
      virusScanner: config.antivirus.kind === 'clamd',
      ...props.image,
      processor: machine.processor,
      schedule: props.patchSchedule,
      ...buildPlace(this, { vpc: this.vpc, instances: vpcSubnets, imageBuildSubnet: props.imageBuildSubnet, imageBuildCidr: props.imageBuildCidr }),
    });
    this.rollout = new ImageRollout(this, 'Rollout', {
      image: this.image,
      groupName,
      minHealthyPercentage: ServerFleet.minHealthyPercentage(instances),
    });
    this.fleet = makeInstances(
      this,
      props,
      { vpc: this.vpc, vpcSubnets, instances, groupName, securityGroup: instanceGroup, instanceType: machine.instanceType },
      { config, storage: this.storage, uploads: this.uploads, as2Partners, endpoint: this.endpoint, auditLog: this.auditLog, rollout: this.rollout },
    );
    this.connections = this.fleet.connections;
    this.grantPrincipal = this.fleet.grantPrincipal;
    this.endpoint.connect({ fleet: this.fleet, domainName, hostedZone, ipv6: props.ipv6, dnsRouting: props.dnsRouting });
    this.sessionLog = new SessionLog(this, 'Sessions', { instanceRole: this.fleet.role, groupName });
    if (maxInstances > instances) this.fleet.scaleOnSessions(this.auditLog.metricSessions(), config.limits.sessions);
    const { certificates, accounts, sharedLockouts, hostKeys, as2Keys, auditLog, storage } = this;
    grantParts(this.fleet, { certificates, accounts, sharedLockouts, hostKeys, as2Keys, as2Partners, auditLog, storage });
    grantNamedInSettings(this.fleet, props, config);
    if (props.eventBus) this.uploads.toldBy(this.fleet.role);
    props.clientTrust?.grantRead(this.fleet.role);

    // What is told of it.
    if (props.flowLogs) this.auditLog.addFlowLogs('FlowLogs', this.vpc);
    for (const { name } of furtherProtocols(config)) this.auditLog.addProtocol(name);
    if (props.webhooks?.length) this.auditLog.addWebhooks();
    const ofTheService = [...certificates, this.endpoint, storage, accounts, this.clientTrust, hostKeys, as2Keys];
    const watched = watch(this, props, {
      config,
      auditLog,
      accounts,
      instances,
      groupName,
      fleet: this.fleet,
      rollout: this.rollout,
      parts: ofTheService.filter((part) => part !== undefined),
    });
    this.alarms = watched.alarms;
    this.dashboard = watched.dashboard;
    const { endpoint, sessionLog, image } = this;
    addOutputs(this, domainName, config, { hostKeys, as2Keys, endpoint, accounts, certificates, sessionLog, image });
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
    const rule = new Rule(crossStackScope ?? this, id, { ruleName, description, eventBus: this.uploads.toldBy(this.fleet.role), eventPattern });
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
}
