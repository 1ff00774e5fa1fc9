/**
 * The Lambda that gives each instance a slot: a slice of the passive ports, whose target groups lead to it alone. Run by the group's events
 * and every few minutes; the state is read anew each time, so that lost, repeated and reordered events do no harm.
 */
import { Logger } from '@aws-lambda-powertools/logger';
import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { EC2Client } from '@aws-sdk/client-ec2';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { Route53Client } from '@aws-sdk/client-route-53';
import { answerCloudFormation, type CloudFormationRequest, isCloudFormation } from '../../functions/cloudformation';
import { HostRecords } from '../address-lifecycle/host-records';
import { InstanceGroup } from '../address-lifecycle/instance-group';
import { InstanceSlots } from './instance-slots';
import { keepSlots } from './keep-slots';
import { PortTargets } from './port-targets';

const logger = new Logger({ serviceName: 'ftps-slots' });

export async function handler(event: CloudFormationRequest | Record<string, unknown> = {}): Promise<void> {
  const { GROUP_NAME = '', SLOTS = '[]', LOAD_BALANCER_ARN = '' } = process.env;
  const retries = { maxAttempts: 8 };
  if (isCloudFormation(event)) return answerCloudFormation(event, () => name(event));
  const pass = await keepSlots({
    group: new InstanceGroup(new AutoScalingClient(retries), GROUP_NAME),
    slots: new InstanceSlots(new EC2Client(retries)),
    targets: new PortTargets(new ElasticLoadBalancingV2Client(retries), LOAD_BALANCER_ARN),
    ports: (JSON.parse(SLOTS) as [number, number][]).map(([low, high]) => ({ low, high })),
  });
  logger.info('slots are in step', { ...pass });
}

interface Named {
  readonly ZoneId: string;
  readonly RecordName: string;
  readonly BalancerName: string;
  readonly BalancerZoneId: string;
}

/**
 * Makes the host name lead to the load balancer, or no longer. Not a record of the template: CloudFormation makes what is new before it takes
 * away what was, and a name that has records of instances can't have an alias beside them.
 */
async function name(event: CloudFormationRequest & { readonly ResourceProperties?: Named }): Promise<undefined> {
  const { ZoneId, RecordName, BalancerName: dnsName, BalancerZoneId } = event.ResourceProperties!;
  const records = new HostRecords(new Route53Client({ maxAttempts: 6 }), { zoneId: ZoneId, name: RecordName, seconds: 0 });
  const balancer = { dnsName, zoneId: BalancerZoneId };
  await (event.RequestType === 'Delete' ? records.unalias(balancer) : records.alias(balancer));
  return undefined;
}
