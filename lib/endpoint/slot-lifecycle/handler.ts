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
import { allOf, ownAddresses } from '../address-lifecycle/own-addresses';
import { ownerOf, routingOf } from '../address-lifecycle/record-settings';
import { InstanceSlots } from './instance-slots';
import { keepSlots } from './keep-slots';
import { PortTargets } from './port-targets';

const logger = new Logger({ serviceName: 'ftps-slots' });
const retries = { maxAttempts: 8 };

export async function handler(event: CloudFormationRequest | Record<string, unknown> = {}): Promise<void> {
  const { GROUP_NAME = '', SLOTS = '[]', LOAD_BALANCER_ARN = '', RECORD } = process.env;
  const group = new InstanceGroup(new AutoScalingClient(retries), GROUP_NAME);
  if (isCloudFormation(event)) return answerCloudFormation(event, () => name(event, group));
  const pass = await keepSlots({
    group,
    slots: new InstanceSlots(new EC2Client(retries)),
    targets: new PortTargets(new ElasticLoadBalancingV2Client(retries), LOAD_BALANCER_ARN),
    ports: (JSON.parse(SLOTS) as [number, number][]).map(([low, high]) => ({ low, high })),
  });
  const named = RECORD ? (JSON.parse(RECORD) as Named) : undefined;
  const serves = (await group.instances()).some((one) => one.serves);
  const recordsChanged = named !== undefined && serves && (await recordsOf(named).keepAlias(balancerOf(named)));
  logger.info('slots are in step', { ...pass, recordsChanged });
}

/** The host name, and the load balancer that it is to lead to. */
interface Named {
  readonly ZoneId: string;
  readonly RecordName: string;
  readonly BalancerName: string;
  readonly BalancerZoneId: string;
}

interface NameRequest extends CloudFormationRequest {
  readonly ResourceProperties?: Named;
  readonly OldResourceProperties?: Named;
}

/**
 * Makes the host name lead to the load balancer, or no longer. Not a record of the template: CloudFormation makes what is new before it takes
 * away what was, and a name that has records of instances can't have an alias beside them.
 */
async function name(event: NameRequest, group: InstanceGroup): Promise<undefined> {
  const named = event.ResourceProperties!;
  const records = recordsOf(named);
  if (event.RequestType === 'Delete') {
    await records.unalias(balancerOf(named));
    return undefined;
  }
  const instances = await ownAddresses(
    new EC2Client(retries),
    (await group.instances()).map(({ id }) => id),
  );
  const before = event.OldResourceProperties?.BalancerName;
  await records.alias(balancerOf(named), { addresses: new Set(allOf(instances)), balancers: before === undefined ? [] : [before] });
  return undefined;
}

const balancerOf = ({ BalancerName: dnsName, BalancerZoneId: zoneId }: Named) => ({ dnsName, zoneId });

function recordsOf({ ZoneId: zoneId, RecordName }: Named): HostRecords {
  const { GROUP_NAME = '', AWS_REGION = '' } = process.env;
  const owner = ownerOf(GROUP_NAME, AWS_REGION);
  return new HostRecords(new Route53Client(retries), { zoneId, name: RecordName, seconds: 0, owner, routing: routingOf(process.env) });
}
