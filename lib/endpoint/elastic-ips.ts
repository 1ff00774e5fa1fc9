/** Elastic IP addresses of an endpoint. */
import { CfnEIP } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import { stableName } from '../names';

/** As many as asked for, each with a name that says whose it is. */
export function elasticIps(endpoint: Construct, count: number): CfnEIP[] {
  return Array.from(
    { length: count },
    (_, index) => new CfnEIP(endpoint, `Address${index + 1}`, { domain: 'vpc', tags: [{ key: 'Name', value: `${stableName(endpoint)} ${index + 1}` }] }),
  );
}
