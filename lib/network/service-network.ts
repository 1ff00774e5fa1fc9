/** The network of a service that brings none: subnets over the zones, no NAT, flow logs. */

import { CfnOutput, Fn, RemovalPolicy } from 'aws-cdk-lib';
import { FlowLogDestination, FlowLogTrafficType, GatewayVpcEndpointAwsService, IpAddresses, IpProtocol, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledgeRegulations, OWN_ROLE } from '../compliance/acknowledge';
import { encryptBelow } from '../encryption/given-key';
import { refuseUnknownProps } from '../known-props';
import { BuildSubnet, endOf } from './build-subnet';
import { logKey } from './log-key';
import { ServiceEndpoints } from './service-endpoints';
import { ServiceFirewall } from './service-firewall';
import { withoutAskingForZones } from './zones';

/** What `ServiceNetwork` is told. */
export interface ServiceNetworkProps {
  /**
   * Whether the internet is reached, in public subnets. Without it subnets are isolated and the AWS APIs lie within (`serviceEndpoints`).
   * @default true
   */
  readonly internet?: boolean;
  /**
   * Whether the network has IPv6 addresses as well, a range of Amazon's that stays for as long as the network does.
   * @default false
   */
  readonly ipv6?: boolean;
  /**
   * Whether AWS Network Firewall stands between the internet and the instances. It costs about 290 USD a month in each zone. IPv4 only.
   * @default false
   */
  readonly networkFirewall?: boolean;
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
  /**
   * Key that encrypts flow logs.
   * @default - the one of what it lies in, or a new one
   */
  readonly encryptionKey?: IKey;
}

/** A network to serve in: public subnets in two zones, no NAT, flow logs. Zones are named by their order, so that synthesis asks no account. */
export class ServiceNetwork extends Construct {
  /** The network itself. */
  public readonly vpc: Vpc;
  /** The AWS APIs within the network, where it has no internet. Let the network reach them, where images are built, too: `serviceEndpoints.allowFromCidr(cidr)`. */
  public readonly serviceEndpoints?: ServiceEndpoints;
  /** Where images are built, where the network has internet. `FtpsService` finds it. */
  public readonly buildSubnet?: BuildSubnet;
  /** Give it to `FtpsService` as `networkFirewall`. */
  public readonly firewall?: ServiceFirewall;

  constructor(scope: Construct, id: string, props: ServiceNetworkProps = {}) {
    super(scope, id);
    refuseUnknownProps(props, 'ServiceNetworkProps');
    encryptBelow(this, props.encryptionKey);
    const internet = props.internet ?? true;
    const cidr = props.cidr ?? '10.42.0.0/20';
    if (props.networkFirewall && (props.ipv6 || !internet))
      throw new Error('networkFirewall: stands between IPv4 and the internet; leave out ipv6, and internet: false, or the firewall');
    const subnet = internet
      ? {
          name: 'Public',
          subnetType: SubnetType.PUBLIC,
          cidrMask: 24,
          mapPublicIpOnLaunch: false,
          ...(props.ipv6 ? { ipv6AssignAddressOnCreation: true } : {}),
        }
      : { name: 'Inside', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 24 };
    this.vpc = withoutAskingForZones(
      this,
      () =>
        new Vpc(this, 'Vpc', {
          ipAddresses: IpAddresses.cidr(cidr),
          maxAzs: props.zones ?? 2,
          natGateways: 0,
          restrictDefaultSecurityGroup: true,
          ...(props.ipv6 ? { ipProtocol: IpProtocol.DUAL_STACK } : {}),
          subnetConfiguration: [subnet, ...(props.networkFirewall ? [{ name: 'Firewall', subnetType: SubnetType.PRIVATE_ISOLATED, cidrMask: 28 }] : [])],
          gatewayEndpoints: { S3: { service: GatewayVpcEndpointAwsService.S3 } },
        }),
    );
    if (!internet) this.serviceEndpoints = new ServiceEndpoints(this, 'Apis', { vpc: this.vpc, s3: false });
    else {
      this.buildSubnet = new BuildSubnet(this, 'Build', { vpc: this.vpc, cidr: endOf(cidr), internetGatewayId: this.vpc.internetGatewayId });
      this.buildSubnet.node.addDependency(this.vpc.internetConnectivityEstablished);
    }
    if (props.networkFirewall)
      this.firewall = new ServiceFirewall(this, 'Firewall', {
        vpc: this.vpc,
        firewallSubnets: this.vpc.selectSubnets({ subnetGroupName: 'Firewall' }).subnets,
        protectedSubnets: this.vpc.publicSubnets,
      });
    if (props.ipv6) new CfnOutput(this, 'Ipv6AllowList', { value: Fn.select(0, this.vpc.vpcIpv6CidrBlocks), description: 'IPv6 network that partners allow' });
    for (const subnet of this.firewall ? [] : this.vpc.publicSubnets)
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
