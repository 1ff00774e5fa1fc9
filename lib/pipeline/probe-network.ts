/** Where the probe runs: it leaves by one fixed address, so that environments can let it in like any partner. */
import {
  FlowLogDestination,
  FlowLogTrafficType,
  IpAddresses,
  type ISecurityGroup,
  NatProvider,
  Peer,
  Port,
  SecurityGroup,
  SubnetType,
  Vpc,
} from 'aws-cdk-lib/aws-ec2';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { acknowledgeRegulations } from '../compliance/acknowledge';
import { logKey } from '../network/log-key';
import { PassivePorts } from '../network/passive-ports';

export interface ProbeNetworkProps {
  /** Allocation id of the Elastic IP that the probe leaves by. */
  readonly allocationId: string;
  /** Control ports and passive ranges that it connects to, `21` or `50000-50015`. */
  readonly ports: string[];
}

export class ProbeNetwork extends Construct {
  public readonly vpc: Vpc;
  public readonly securityGroup: ISecurityGroup;

  constructor(scope: Construct, id: string, { allocationId, ports }: ProbeNetworkProps) {
    super(scope, id);
    this.vpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr('10.43.0.0/24'),
      maxAzs: 1,
      natGateways: 1,
      natGatewayProvider: NatProvider.gateway({ eipAllocationIds: [allocationId] }),
      restrictDefaultSecurityGroup: true,
      subnetConfiguration: [
        { name: 'Out', subnetType: SubnetType.PUBLIC, cidrMask: 28, mapPublicIpOnLaunch: false },
        { name: 'Probe', subnetType: SubnetType.PRIVATE_WITH_EGRESS, cidrMask: 28 },
      ],
    });
    acknowledgeRegulations(
      this.vpc,
      'VPCDefaultSecurityGroupClosed',
      'The custom resource of AWS CDK takes every rule out of it; the finding is raised for any VPC.',
    );
    for (const subnet of this.vpc.publicSubnets)
      acknowledgeRegulations(subnet, 'VPCNoUnrestrictedRouteToIGW', 'Only the NAT gateway lies in it, by which the probe leaves.');
    const logGroup = new LogGroup(this, 'FlowLogs', {
      encryptionKey: logKey(this, 'FlowLogKey', 'Flow logs of the FTPS probe'),
      retention: RetentionDays.THREE_MONTHS,
    });
    this.vpc.addFlowLog('FlowLog', { destination: FlowLogDestination.toCloudWatchLogs(logGroup), trafficType: FlowLogTrafficType.ALL });
    const group = new SecurityGroup(this, 'SecurityGroup', { vpc: this.vpc, description: 'FTPS probe: out only', allowAllOutbound: false });
    group.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'AWS APIs and the artifacts of the pipeline');
    for (const range of ports) group.addEgressRule(Peer.anyIpv4(), portsOf(range), `FTPS ${range}`);
    this.securityGroup = group;
  }
}

/** Two ports on either side of a range are tried too: they have to be closed. */
function portsOf(range: string): Port {
  const { low, high } = PassivePorts.parse(range);
  return low === high ? Port.tcp(low) : Port.tcpRange(low - 2, Math.min(high + 2, 65_535));
}
