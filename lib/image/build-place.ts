/** Where images are built: a subnet with a way out, and a security group that lets nobody in. */
import { type ISecurityGroup, type ISubnet, type IVpc, Peer, Port, SecurityGroup, type SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { BuildSubnet, subnetWithAWayOut } from '../network/build-subnet';

export interface BuildPlace {
  readonly subnet: ISubnet;
  readonly securityGroup: ISecurityGroup;
}

/** What is known of the network, and what was said about building in it. */
export interface BuildNetwork {
  readonly vpc: IVpc;
  /** Subnets of the instances. */
  readonly instances: SubnetSelection;
  readonly imageBuildSubnet?: ISubnet;
  readonly imageBuildCidr?: string;
}

/** Throws an Error where no subnet is known from which a machine gets out. */
export function buildPlace(scope: Construct, network: BuildNetwork): BuildPlace {
  return { subnet: subnetOf(scope, network), securityGroup: securityGroupOf(scope, network.vpc) };
}

function subnetOf(scope: Construct, { vpc, instances, imageBuildSubnet, imageBuildCidr }: BuildNetwork): ISubnet {
  if (imageBuildSubnet) return imageBuildSubnet;
  if (imageBuildCidr) return new BuildSubnet(scope, 'Build', { vpc, cidr: imageBuildCidr }).subnet;
  const found = subnetWithAWayOut(vpc, instances);
  if (found) return found;
  throw new Error(
    'vpc: has no subnet of which it is known that a machine gets out that is started there, so no image could be built: Image Builder asks for no public address. Give imageBuildCidr, a free range of the VPC such as 10.0.255.0/28, or imageBuildSubnet, a subnet with NAT or one that gives public addresses',
  );
}

/** Machines that build images reach out, and nobody reaches them. */
function securityGroupOf(scope: Construct, vpc: IVpc): ISecurityGroup {
  const group = new SecurityGroup(scope, 'ImageBuildSecurityGroup', { vpc, description: 'Builds FTPS images; nothing comes in', allowAllOutbound: false });
  group.addEgressRule(Peer.anyIpv4(), Port.tcp(443), 'AWS APIs and package repositories');
  return group;
}
