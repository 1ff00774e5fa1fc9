/** What is known of the subnets that instances are to start in. */
import type { ISubnet, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';

/** Whether all of them are known to have no route to an internet gateway, so that a public address would lead nowhere. */
export function arePrivate(vpc: IVpc, selection?: SubnetSelection): boolean {
  const inside = new Set([...vpc.privateSubnets, ...vpc.isolatedSubnets]);
  const { subnets } = vpc.selectSubnets(selection);
  return subnets.length > 0 && subnets.every((subnet) => inside.has(subnet));
}

/** Their availability zones; of a subnet that was given by its id alone, it is not known. */
export function zonesOf(vpc: IVpc, selection?: SubnetSelection): string[] {
  return [...new Set(vpc.selectSubnets(selection).subnets.flatMap(zoneOf))];
}

function zoneOf(subnet: ISubnet): string[] {
  try {
    return [subnet.availabilityZone];
  } catch {
    return []; // imported subnets throw
  }
}
