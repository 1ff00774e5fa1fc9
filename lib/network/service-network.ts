/** The network of a service that brings none: subnets over the zones, no NAT, flow logs. */
import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { FlowLogDestination, FlowLogTrafficType, GatewayVpcEndpointAwsService, IpAddresses, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledgeRegulations, OWN_ROLE } from '../compliance/acknowledge';
import { ServiceEndpoints } from './service-endpoints';

/** What `ServiceNetwork` is told. */
export interface ServiceNetworkProps {
  /**
   * Whether the internet is reached, in public subnets. Without it subnets are isolated and the AWS APIs lie within (`serviceEndpoints`).
   * @default true
   */
  readonly internet?: boolean;
  /**
   * Availability zones to spread over.
   * @default 2
   */
  readonly zones?: number;
  /**
   * Address range of the VPC.
   * @default 10.42.0.0/20
   */
  readonly cidr?: string;
  /**
   * How long flow logs are kept.
   * @default RetentionDays.ONE_YEAR
   */
  readonly flowLogRetention?: RetentionDays;
}

/** A network to serve in: public subnets in two zones, no NAT, flow logs. */
export class ServiceNetwork extends Construct {
  /** The network itself. */
  public readonly vpc: Vpc;
  /** The AWS APIs within the network, where it has no internet. Let the instances reach them: `serviceEndpoints.allowFrom(service.fleet)`. */
  public readonly serviceEndpoints?: ServiceEndpoints;

  constructor(scope: Construct, id: string, props: ServiceNetworkProps = {}) {
    super(scope, id);
    const internet = props.internet ?? true;
    const subnet = internet
      ? { name: 'Public', subnetType: SubnetType.PUBLIC, cidrMask: 24, mapPublicIpOnLaunch: false }
      : { name: 'Inside', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 24 };
    this.vpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr(props.cidr ?? '10.42.0.0/20'),
      maxAzs: props.zones ?? 2,
      natGateways: 0,
      restrictDefaultSecurityGroup: true,
      subnetConfiguration: [subnet],
      gatewayEndpoints: { S3: { service: GatewayVpcEndpointAwsService.S3 } },
    });
    if (!internet) this.serviceEndpoints = new ServiceEndpoints(this, 'Apis', { vpc: this.vpc, s3: false });
    for (const subnet of this.vpc.publicSubnets)
      acknowledgeRegulations(
        subnet,
        'VPCNoUnrestrictedRouteToIGW',
        'Partners come from the internet to these subnets, and nothing else lies in them; the security group lets in only their networks, on the ports of FTPS.',
      );
    acknowledgeRegulations(
      this.vpc,
      'VPCDefaultSecurityGroupClosed',
      'The custom resource of AWS CDK takes every rule out of the default security group; the finding is raised for any VPC.',
    );
    const key = logKey(this, 'FlowLogKey', 'FTPS flow logs');
    const logGroup = new LogGroup(this, 'FlowLogs', {
      encryptionKey: key,
      retention: props.flowLogRetention ?? RetentionDays.ONE_YEAR,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.vpc.addFlowLog('FlowLog', { destination: FlowLogDestination.toCloudWatchLogs(logGroup), trafficType: FlowLogTrafficType.ALL });
    acknowledgeRegulations(this, 'IAMNoInlinePolicy', OWN_ROLE);
  }
}

/** A key that CloudWatch Logs of this account may use. */
export function logKey(scope: Construct, id: string, description: string): Key {
  const key = new Key(scope, id, { description, enableKeyRotation: true, removalPolicy: RemovalPolicy.RETAIN });
  letLogsUse(key);
  return key;
}

/** Lets CloudWatch Logs of this account encrypt by this key (CloudWatch Logs user guide, "Encrypt log data using KMS"). */
export function letLogsUse(key: Key): void {
  const { region, account, partition } = Stack.of(key);
  key.addToResourcePolicy(
    new PolicyStatement({
      effect: Effect.ALLOW,
      principals: [new ServicePrincipal(`logs.${region}.amazonaws.com`)],
      actions: ['kms:Encrypt*', 'kms:Decrypt*', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:Describe*'],
      resources: ['*'], // in a key policy this means the key itself
      conditions: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': `arn:${partition}:logs:${region}:${account}:log-group:*` } },
    }),
  );
}
