/** Elastic IP addresses of an endpoint: new ones, or ones that are there already. */
import { CfnEIP } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { stableName } from '../names';
import { ExistingAddresses } from './existing-addresses';

export interface ElasticIp {
  readonly allocationId: string;
  readonly address: string;
}

/** As many as asked for, each with a name that says whose it is. */
export function newElasticIps(endpoint: Construct, count: number): ElasticIp[] {
  return Array.from({ length: count }, (_, index) => {
    const made = new CfnEIP(endpoint, `Address${index + 1}`, { domain: 'vpc', tags: [{ key: 'Name', value: `${stableName(endpoint)} ${index + 1}` }] });
    return { allocationId: made.attrAllocationId, address: made.attrPublicIp };
  });
}

/** They are used, and never released. */
export function existingElasticIps(endpoint: Construct, allocationIds: readonly string[]): ElasticIp[] {
  const { addresses } = new ExistingAddresses(endpoint, 'Existing', { allocationIds });
  return allocationIds.map((allocationId, index) => ({ allocationId, address: addresses[index]! }));
}
