/** One environment, stamped from one settings object: a stack for what must outlive a mistake, and one for what can be made anew. */
import { CrossStackReferences, ReferenceStrength, RemovalPolicies, RemovalPolicy, type Stack, Stage, type StageProps, Tags } from 'aws-cdk-lib';
import { KeyAlgorithm } from 'aws-cdk-lib/aws-certificatemanager';
import { type IVpc, SubnetType } from 'aws-cdk-lib/aws-ec2';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import type { Construct } from 'constructs';
import { ServerCertificate } from './certificate/server-certificate';
import { acknowledgeHouseRules } from './compliance/house-rules';
import { ElasticAddresses } from './endpoint/elastic-addresses';
import type { FtpsEndpoint } from './endpoint/endpoint';
import { FtpsLoadBalancer } from './endpoint/load-balancer';
import { EndpointKind, FtpsEnvironment, type FtpsEnvironmentSettings } from './environment-settings';
import { FtpsService } from './ftps-service';
import { RESERVE_CONCURRENCY } from './functions/one-at-a-time';
import { SecretAccounts } from './identity/secret-accounts';
import { propsKnownTo } from './known-props';
import { AuditLog } from './logs/audit-log';
import { ServiceNetwork } from './network/service-network';
import { AlarmTopic } from './observability/alarm-topic';
import { keepOnceDeployed } from './removal';
import { StackOfAnyZone } from './stack-of-any-zone';
import { FileStorage } from './storage/file-storage';

/** What `FtpsStage` is told. */
export interface FtpsStageProps extends StageProps {
  /** Made by `FtpsEnvironment.production`, `.staging` or `.of`. */
  readonly settings: FtpsEnvironmentSettings;
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
    const { settings, ...stageProps } = props;
    FtpsEnvironment.check(settings);
    super(scope, id, { env: settings.env, ...stageProps });
    if (settings.reserveConcurrency === false) this.node.setContext(RESERVE_CONCURRENCY, false);
    const protect = settings.protect ?? true;
    const describe = (part: string) => `FTPS service ${settings.domainName} (${settings.name}): ${part}`;
    this.dataStack = new StackOfAnyZone(this, 'Data', {
      stackName: `ftps-${settings.name}-data`,
      description: describe('files, logs, accounts, addresses'),
      terminationProtection: protect,
    });
    this.serviceStack = new StackOfAnyZone(this, 'Ftps', {
      stackName: `ftps-${settings.name}`,
      description: describe('image, certificate, instances'),
      terminationProtection: protect,
    });
    acknowledgeHouseRules(this);
    // The data is deployed first. An export that the service still imports could not go, so fewer addresses or no archive would be stuck there.
    CrossStackReferences.of(this.serviceStack).consume(ReferenceStrength.WEAK);
    const tags = { ...settings.tags, service: 'ftps', environment: settings.name };
    for (const [key, value] of Object.entries(tags)) Tags.of(this).add(key, value);
    try {
      this.service = this.makeService(settings);
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

  private makeService(settings: FtpsEnvironmentSettings): FtpsService {
    const { domainName, alternativeNames } = settings;
    const zone = { hostedZoneId: settings.hostedZoneId, zoneName: settings.zoneName };
    const { ipv6, networkFirewall } = settings;
    const { vpc, firewall } = new ServiceNetwork(this.dataStack, 'Network', { flowLogRetention: settings.logRetention, ipv6, networkFirewall });
    const hostedZone = HostedZone.fromHostedZoneAttributes(this.serviceStack, 'Zone', zone);
    return new FtpsService(this.serviceStack, 'Service', {
      ...propsKnownTo('FtpsServiceProps', settings),
      // In the stack of the data, because the alarms of both stacks tell it.
      alarmTopic: new AlarmTopic(this.dataStack, 'Alarms', { emails: settings.alarmEmails }).topic,
      alarmEmails: undefined,
      vpc,
      networkFirewall: firewall,
      hostedZone,
      storage: FileStorage.efs(this.dataStack, 'Files', { vpc, vpcSubnets: { subnetType: SubnetType.PUBLIC }, throughput: settings.fileThroughput }),
      accounts: new SecretAccounts(this.dataStack, 'Accounts'),
      auditLog: new AuditLog(this.dataStack, 'Logs', {
        retention: settings.logRetention ?? RetentionDays.ONE_YEAR,
        archiveDays: settings.archiveDays ?? 365,
      }),
      endpoint: this.makeEndpoint(settings, vpc),
      additionalCertificates: settings.ecdsaCertificate
        ? [
            ServerCertificate.publicAcm(this.serviceStack, 'EcdsaCertificate', {
              domainName,
              alternativeNames,
              hostedZone,
              keyAlgorithm: KeyAlgorithm.EC_PRIME256V1,
            }),
          ]
        : undefined,
    });
  }

  private makeEndpoint({ endpoint, instances = 2, protect = true }: FtpsEnvironmentSettings, vpc: IVpc): FtpsEndpoint {
    if (endpoint !== EndpointKind.LOAD_BALANCER) return new ElasticAddresses(this.dataStack, 'Addresses', { count: instances });
    // Its ports are those of the service, so it lies there; its addresses are kept all the same. One slot more lets an instance begin before its predecessor has drained.
    return new FtpsLoadBalancer(this.serviceStack, 'Balancer', { vpc, slots: instances + 1, deletionProtection: protect });
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
