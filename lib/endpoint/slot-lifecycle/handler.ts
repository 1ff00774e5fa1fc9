/**
 * The Lambda that gives each instance a slot: a slice of the passive ports, whose target groups lead to it alone. Run by the group's events
 * and every few minutes; the state is read anew each time, so that lost, repeated and reordered events do no harm.
 */
import { Logger } from '@aws-lambda-powertools/logger';
import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { EC2Client } from '@aws-sdk/client-ec2';
import { ElasticLoadBalancingV2Client } from '@aws-sdk/client-elastic-load-balancing-v2';
import { InstanceGroup } from '../address-lifecycle/instance-group';
import { InstanceSlots } from './instance-slots';
import { keepSlots } from './keep-slots';
import { PortTargets } from './port-targets';

const logger = new Logger({ serviceName: 'ftps-slots' });

export async function handler(): Promise<void> {
  const { GROUP_NAME = '', SLOTS = '[]', LOAD_BALANCER_ARN = '' } = process.env;
  const retries = { maxAttempts: 8 };
  const pass = await keepSlots({
    group: new InstanceGroup(new AutoScalingClient(retries), GROUP_NAME),
    slots: new InstanceSlots(new EC2Client(retries)),
    targets: new PortTargets(new ElasticLoadBalancingV2Client(retries), LOAD_BALANCER_ARN),
    ports: (JSON.parse(SLOTS) as [number, number][]).map(([low, high]) => ({ low, high })),
  });
  logger.info('slots are in step', { ...pass });
}
