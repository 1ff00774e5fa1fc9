/** One environment, stamped from one settings object: a stack for what must outlive a mistake, and one for what can be made anew. */
import { CrossStackReferences, ReferenceStrength, RemovalPolicies, RemovalPolicy, type Stack, Stage, type StageProps, Tags } from 'aws-cdk-lib';
import { KeyAlgorithm } from 'aws-cdk-lib/aws-certificatemanager';
import { type IVpc, SubnetType } from 'aws-cdk-lib/aws-ec2';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { Construct } from 'constructs';
import { As2Keys } from './as2/keys';
import { ServerCertificate } from './certificate/server-certificate';
import { acknowledgeHouseRules } from './compliance/house-rules';
import { encryptBelow } from './encryption/given-key';
import { ElasticAddresses } from './endpoint/elastic-addresses';
import type { FtpsEndpoint } from './endpoint/endpoint';
import { FtpsLoadBalancer } from './endpoint/load-balancer';
import { FtpsEnvironment } from './environment';
import { EndpointKind, type FtpsEnvironmentSettings, StorageKind } from './environment-settings';
import { FtpsService } from './ftps-service';
import { RESERVE_CONCURRENCY } from './functions/one-at-a-time';
import { SecretAccounts } from './identity/secret-accounts';
import { propsKnownTo, refuseUnknownProps } from './known-props';
import { AuditLog } from './logs/audit-log';
import type { ServiceFirewall } from './network/service-firewall';
import { ServiceNetwork } from './network/service-network';
import { AlarmTopic } from './observability/alarm-topic';
import { keepOnceDeployed } from './removal';
import type { FtpsServerSettings } from './server-settings';
import { HostKeys } from './sftp/host-keys';
import { StackOfAnyZone } from './stack-of-any-zone';
import { FtpsStageParts } from './stage-parts';
import { FileStorage } from './storage/file-storage';
import { S3Storage } from './storage/s3-storage';

/** What `FtpsStage` is told. */
export interface FtpsStageProps extends StageProps {
  /** Made by `FtpsEnvironment.production`, `.staging` or `.of`. */
  readonly settings: FtpsEnvironmentSettings;
  /**
   * What it takes from elsewhere: an object of a class of yours that extends `FtpsStageParts`.
   * @default - everything is made anew
   */
  readonly parts?: FtpsStageParts;
}

/** One environment, stamped from one settings object: a stack for what must outlive a mistake, and one for what can be made anew. */
export class FtpsStage extends Stage {
  /** Files, logs, accounts, addresses, and the network they lie in. */
  public readonly dataStack: Stack;
  /** Image, certificate, instances: whatever a deployment can make anew. */
  public readonly serviceStack: Stack;
  /** The service of this environment. */
  public readonly service: FtpsService;

  constructor(scope: Construct, id: string, props: FtpsStageProps) {
    const { settings, parts = new FtpsStageParts(), ...stageProps } = props;
    refuseUnknownProps(stageProps, 'FtpsStageProps');
    FtpsEnvironment.check(settings);
    if (typeof parts?.encryptionKey !== 'function')
      throw new Error(`parts: ${JSON.stringify(parts)} is wrong; expected an object of a class that extends FtpsStageParts`);
    super(scope, id, { env: settings.env, ...stageProps });
    if (settings.reserveConcurrency === false) this.node.setContext(RESERVE_CONCURRENCY, false);
    const protect = settings.protect ?? true;
    const stackName = settings.stackName ?? `ftps-${settings.name}`;
    const describe = (part: string) => `FTPS service ${settings.domainName} (${settings.name}): ${part}`;
    this.dataStack = new StackOfAnyZone(this, 'Data', {
      stackName: settings.dataStackName ?? `${stackName}-data`,
      description: describe('files, logs, accounts, addresses'),
      terminationProtection: protect,
    });
    this.serviceStack = new StackOfAnyZone(this, 'Ftps', {
      stackName,
      description: describe('image, certificate, instances'),
      terminationProtection: protect,
    });
    acknowledgeHouseRules(this);
    // The data is deployed first. An export that the service still imports could not go, so fewer addresses or no archive would be stuck there.
    CrossStackReferences.of(this.serviceStack).consume(ReferenceStrength.WEAK);
    const tags = { ...settings.tags, service: 'ftps', environment: settings.name };
    for (const [key, value] of Object.entries(tags)) Tags.of(this).add(key, value);
    try {
      const key = parts.encryptionKey(this.dataStack);
      for (const stack of [this.dataStack, this.serviceStack]) encryptBelow(stack, key);
      this.service = this.makeService(settings, parts);
    } catch (error) {
      throw new Error(`Environment "${settings.name}": ${(error as Error).message}`, { cause: error });
    }
    this.keep(protect);
  }

  /** What holds data is kept in a protected environment, and goes with any other, but for what nobody can delete. */
  private keep(protect: boolean): void {
    const kept = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE;
    RemovalPolicies.of(this).apply(protect ? kept : RemovalPolicy.DESTROY, { applyToResourceTypes: holdsData });
    const { archive } = this.service.auditLog;
    // Object lock lets nobody delete the lines of the audit before their time, and CloudFormation deletes no bucket that is not empty.
    if (archive) RemovalPolicies.of(archive).apply(kept, { applyToResourceTypes: ['AWS::S3::Bucket', 'AWS::KMS::Key'] });
    keepOnceDeployed(this);
  }

  private makeService(settings: FtpsEnvironmentSettings, parts: FtpsStageParts): FtpsService {
    const { domainName, alternativeNames, hostedZoneId, zoneName } = settings;
    const { vpc, firewall } = this.network(settings, parts);
    const named = hostedZoneId && zoneName ? { hostedZoneId, zoneName } : undefined;
    const hostedZone = parts.hostedZone(this.serviceStack) ?? (named && HostedZone.fromHostedZoneAttributes(this.serviceStack, 'Zone', named));
    const certificate = parts.certificate(this.serviceStack);
    if (settings.ecdsaCertificate && !hostedZone)
      throw new Error('ecdsaCertificate: is validated in a zone, and there is none; leave it out, or give the zone');
    return new FtpsService(this.serviceStack, 'Service', {
      ...propsKnownTo('FtpsServiceProps', settings),
      // In the stack of the data, because the alarms of both stacks tell it.
      alarmTopic: this.alarmTopic(settings, parts),
      alarmEmails: undefined,
      vpc,
      networkFirewall: firewall,
      hostedZone,
      storage: parts.storage(this.dataStack, vpc) ?? this.storage(settings, vpc),
      accounts: parts.accounts(this.dataStack) ?? new SecretAccounts(this.dataStack, 'Accounts'),
      auditLog: this.auditLog(settings, parts),
      endpoint: parts.endpoint(this.dataStack, this.serviceStack, vpc) ?? this.endpoint(settings, vpc),
      certificate,
      clientTrust: parts.clientTrust(this.serviceStack),
      webhooks: parts.webhooks(this.serviceStack),
      server: this.serverOf(settings, parts),
      // Clients know the service by them, so they outlive its stack.
      hostKeys: settings.server?.sftp && (parts.hostKeys(this.dataStack) ?? HostKeys.generated(this.dataStack, 'HostKeys')),
      // Partners know the service by them, as well.
      as2Keys: settings.server?.as2 && (parts.as2Keys(this.dataStack) ?? As2Keys.generated(this.dataStack, 'As2Keys')),
      additionalCertificates: settings.ecdsaCertificate
        ? [
            ServerCertificate.publicAcm(this.serviceStack, 'EcdsaCertificate', {
              domainName,
              alternativeNames,
              hostedZone: hostedZone!,
              keyAlgorithm: KeyAlgorithm.EC_PRIME256V1,
            }),
          ]
        : undefined,
    });
  }

  /** Issuers whose clients have secrets come beside those of the settings. */
  private serverOf({ server }: FtpsEnvironmentSettings, parts: FtpsStageParts): FtpsServerSettings | undefined {
    if (!server?.https) return server;
    const issuers = [...(server.https.issuers ?? []), ...(parts.issuers(this.serviceStack) ?? [])];
    return issuers.length === 0 ? server : { ...server, https: { ...server.https, issuers } };
  }

  private network({ logRetention, ipv6, networkFirewall }: FtpsEnvironmentSettings, parts: FtpsStageParts): { vpc: IVpc; firewall?: ServiceFirewall } {
    const vpc = parts.vpc(this.dataStack);
    if (!vpc) return new ServiceNetwork(this.dataStack, 'Network', { flowLogRetention: logRetention, ipv6, networkFirewall });
    if (networkFirewall) throw new Error('networkFirewall: is part of a network that the kit makes, and this one is yours; leave it out');
    return { vpc };
  }

  private alarmTopic({ alarmEmails }: FtpsEnvironmentSettings, parts: FtpsStageParts): ITopic {
    const topic = parts.alarmTopic(this.dataStack);
    if (topic && alarmEmails) throw new Error('alarmEmails: go to a topic that is made for them, and this one is yours; subscribe them to it instead');
    return topic ?? new AlarmTopic(this.dataStack, 'Alarms', { emails: alarmEmails }).topic;
  }

  private storage({ storage, fileThroughput, vpcSubnets }: FtpsEnvironmentSettings, vpc: IVpc): FileStorage {
    if (storage === StorageKind.S3) return new S3Storage(this.dataStack, 'Files');
    return FileStorage.efs(this.dataStack, 'Files', { vpc, vpcSubnets: vpcSubnets ?? { subnetType: SubnetType.PUBLIC }, throughput: fileThroughput });
  }

  private auditLog({ logRetention, archiveRetention }: FtpsEnvironmentSettings, parts: FtpsStageParts): AuditLog {
    return parts.auditLog(this.dataStack) ?? new AuditLog(this.dataStack, 'Logs', { retention: logRetention ?? RetentionDays.ONE_YEAR, archiveRetention });
  }

  private endpoint({ endpoint, instances = 2, maxInstances = instances, protect = true }: FtpsEnvironmentSettings, vpc: IVpc): FtpsEndpoint {
    if (endpoint !== EndpointKind.LOAD_BALANCER) return new ElasticAddresses(this.dataStack, 'Addresses', { count: maxInstances });
    // Its ports are those of the service, so it lies there; its addresses are kept all the same. One slot more lets an instance begin before its predecessor has drained.
    return new FtpsLoadBalancer(this.serviceStack, 'Balancer', { vpc, slots: maxInstances + 1, deletionProtection: protect });
  }
}

/** What is kept with a protected environment, and goes with any other. */
const holdsData = [
  'AWS::EFS::FileSystem',
  'AWS::S3::Bucket',
  'AWS::Logs::LogGroup',
  'AWS::Logs::LogStream',
  'AWS::KMS::Key',
  'AWS::SecretsManager::Secret',
  'AWS::DynamoDB::Table',
  'AWS::EC2::EIP',
];
