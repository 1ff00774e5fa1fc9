/** A small subnet for the machines that build images: they have a way out, which instances do not share. */

import { Token } from 'aws-cdk-lib';
import { CfnRoute, CfnRouteTable, CfnSubnet, CfnSubnetRouteTableAssociation, type ISubnet, type IVpc, Subnet, type SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import { acknowledgeRegulations } from '../compliance/acknowledge';
import { refuseUnknownProps } from '../known-props';
import { stableName } from '../names';

/** What `BuildSubnet` is told. */
export interface BuildSubnetProps {
  /** Network of the subnet. */
  readonly vpc: IVpc;
  /** Range of the subnet, free in the VPC, `10.0.255.0/28` for example. */
  readonly cidr: string;
  /**
   * Internet gateway of the VPC.
   * @default - the way out of the first public subnet of the VPC
   */
  readonly internetGatewayId?: string;
}

const NOBODY_COMES_IN =
  'Image Builder asks for no public address, so the subnet gives one; its machines live for a build, and their security group lets nobody in.';

/** A public subnet that gives addresses, for machines that build images. Instances lie elsewhere. */
export class BuildSubnet extends Construct {
  /** The subnet itself. */
  public readonly subnet: ISubnet;

  constructor(scope: Construct, id: string, props: BuildSubnetProps) {
    super(scope, id);
    refuseUnknownProps(props, 'BuildSubnetProps');
    const { vpc, cidr, internetGatewayId } = props;
    if (!Token.isUnresolved(cidr) && !/^\d+\.\d+\.\d+\.\d+\/(1[6-9]|2[0-8])$/.test(cidr))
      throw new Error(`imageBuildCidr: "${cidr}" is no range of a subnet, which has /16 to /28; write it as 10.0.255.0/28`);
    const tags = [{ key: 'Name', value: stableName(this) }];
    const subnet = new CfnSubnet(this, 'Resource', {
      vpcId: vpc.vpcId,
      cidrBlock: cidr,
      availabilityZone: internetGatewayId === undefined ? undefined : vpc.availabilityZones[0], // EC2 chooses one in a VPC that is there already
      mapPublicIpOnLaunch: true,
      tags,
    });
    acknowledgeRegulations(this, 'VPCSubnetAutoAssignPublicIpDisabled', NOBODY_COMES_IN);
    const routeTableId = internetGatewayId === undefined ? routesOf(vpc.publicSubnets[0]) : this.routesTo(internetGatewayId, vpc.vpcId, tags);
    new CfnSubnetRouteTableAssociation(this, 'Routes', { subnetId: subnet.ref, routeTableId });
    this.subnet = Subnet.fromSubnetAttributes(this, 'Subnet', { subnetId: subnet.ref, availabilityZone: subnet.attrAvailabilityZone, routeTableId });
  }

  private routesTo(gatewayId: string, vpcId: string, tags: { key: string; value: string }[]): string {
    const table = new CfnRouteTable(this, 'RouteTable', { vpcId, tags });
    const out = new CfnRoute(this, 'Out', { routeTableId: table.ref, destinationCidrBlock: '0.0.0.0/0', gatewayId });
    acknowledgeRegulations(out, 'VPCNoUnrestrictedRouteToIGW', NOBODY_COMES_IN);
    return table.ref;
  }
}

function routesOf(subnet: ISubnet | undefined): string {
  const routeTableId = subnet?.routeTable?.routeTableId;
  if (!routeTableId)
    throw new Error('imageBuildCidr: the VPC names no public subnet with its route table; give publicSubnetRouteTableIds as well, or imageBuildSubnet');
  return routeTableId;
}

/** A subnet of the VPC from which a machine gets out by itself, or, where the instances lie in isolated subnets, reaches the AWS APIs as they do. Undefined where none is known. */
export function subnetWithAWayOut(vpc: IVpc, instances: SubnetSelection): ISubnet | undefined {
  const own = vpc.node.scope as { buildSubnet?: BuildSubnet } | undefined;
  if (own?.buildSubnet instanceof BuildSubnet) return own.buildSubnet.subnet;
  if (vpc.privateSubnets.length > 0) return vpc.privateSubnets[0]; // these have a NAT gateway
  const [first] = vpc.selectSubnets(instances).subnets;
  if (vpc.isolatedSubnets.some((subnet) => subnet === first)) return first;
  return vpc.publicSubnets.find((subnet) => (subnet.node.defaultChild as CfnSubnet | undefined)?.mapPublicIpOnLaunch === true);
}

/** The last sixteen addresses of a range, which subnets that are made from its beginning leave free. */
export function endOf(cidr: string): string {
  const [address = '', bits = ''] = cidr.split('/');
  const first = address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
  const last = first + 2 ** (32 - Number(bits)) - 16;
  return `${[24, 16, 8, 0].map((shift) => Math.floor(last / 2 ** shift) % 256).join('.')}/28`;
}
