/** The private addresses of instances, for a service that has no others. */
import { DescribeInstancesCommand, type EC2Client } from '@aws-sdk/client-ec2';

/** Instance → private IPv4 address. */
export async function privateIps(client: EC2Client, instanceIds: readonly string[]): Promise<Map<string, string>> {
  if (instanceIds.length === 0) return new Map();
  const { Reservations = [] } = await client.send(
    new DescribeInstancesCommand({ Filters: [{ Name: 'instance-id', Values: [...instanceIds] }] }), // unlike InstanceIds, this takes one that has just gone
  );
  const instances = Reservations.flatMap(({ Instances = [] }) => Instances);
  return new Map(instances.flatMap(({ InstanceId, PrivateIpAddress }) => (InstanceId && PrivateIpAddress ? [[InstanceId, PrivateIpAddress] as const] : [])));
}
