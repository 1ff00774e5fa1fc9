/** The addresses that instances have of their own, whatever the pool gave them. */
import { DescribeInstancesCommand, type EC2Client, type Instance } from '@aws-sdk/client-ec2';

export interface OwnAddresses {
  readonly privateIp?: string;
  readonly publicIp?: string;
  readonly ipv6?: string;
}

/** Instance → its addresses. */
export async function ownAddresses(client: EC2Client, instanceIds: readonly string[]): Promise<Map<string, OwnAddresses>> {
  if (instanceIds.length === 0) return new Map();
  const { Reservations = [] } = await client.send(
    new DescribeInstancesCommand({ Filters: [{ Name: 'instance-id', Values: [...instanceIds] }] }), // unlike InstanceIds, this takes one that has just gone
  );
  const instances = Reservations.flatMap(({ Instances = [] }) => Instances);
  return new Map(instances.flatMap((instance) => (instance.InstanceId ? [[instance.InstanceId, addressesOf(instance)] as const] : [])));
}

function addressesOf({ PrivateIpAddress, PublicIpAddress, Ipv6Address, NetworkInterfaces = [] }: Instance): OwnAddresses {
  return { privateIp: PrivateIpAddress, publicIp: PublicIpAddress, ipv6: Ipv6Address || NetworkInterfaces[0]?.Ipv6Addresses?.[0]?.Ipv6Address };
}

/** Every address of theirs. */
export function allOf(own: ReadonlyMap<string, OwnAddresses>): string[] {
  return [...own.values()].flatMap(({ privateIp, publicIp, ipv6 }) => [privateIp, publicIp, ipv6].filter((ip) => ip !== undefined));
}
