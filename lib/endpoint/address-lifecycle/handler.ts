/**
 * The Lambda that keeps addresses and DNS in step with the instances. It runs on every event of the group and every few minutes, since
 * events are best effort. What an event says is never believed: the state is read from the group, the pool and the zone, so that lost,
 * repeated and reordered events do no harm.
 */
import { Logger } from '@aws-lambda-powertools/logger';
import { AutoScalingClient } from '@aws-sdk/client-auto-scaling';
import { EC2Client } from '@aws-sdk/client-ec2';
import { Route53Client } from '@aws-sdk/client-route-53';
import { answerCloudFormation, type CloudFormationRequest, isCloudFormation } from '../../functions/cloudformation';
import { AddressPool } from './address-pool';
import { HostRecords } from './host-records';
import { InstanceGroup } from './instance-group';
import { type AddressSource, keepInStep } from './keep-in-step';
import { ownerOf, routingOf } from './record-settings';

const logger = new Logger({ serviceName: 'ftps-addresses' });

export async function handler(event: CloudFormationRequest | Record<string, unknown> = {}): Promise<void> {
  const { GROUP_NAME = '', ALLOCATION_IDS, ZONE_ID, RECORD_NAME = '', RECORD_SECONDS = '30', IPV6, AWS_REGION = '' } = process.env;
  const retries = { maxAttempts: 6 };
  const ec2 = new EC2Client(retries);
  const group = new InstanceGroup(new AutoScalingClient(retries), GROUP_NAME);
  const pool = ALLOCATION_IDS ? new AddressPool(ec2, ALLOCATION_IDS.split(',')) : undefined;
  const source: AddressSource = pool ? { kind: 'pool', pool } : { kind: 'private' };
  const place = { zoneId: ZONE_ID ?? '', name: RECORD_NAME, seconds: Number(RECORD_SECONDS) };
  const records = ZONE_ID
    ? new HostRecords(new Route53Client(retries), { ...place, owner: ownerOf(GROUP_NAME, AWS_REGION), routing: routingOf(process.env) })
    : undefined;
  const work = async () => {
    if (isCloudFormation(event) && event.RequestType === 'Delete') {
      await records?.clear({ addresses: new Set((await pool?.addresses())?.map(({ ip }) => ip)) });
      logger.info('the records are gone');
      return undefined;
    }
    const pass = await keepInStep({ group, source, client: ec2, ipv6: IPV6 === 'true', records, takeOver: isCloudFormation(event) });
    logger.info('addresses are in step', { ...pass });
    if (pass.released.length > 0)
      throw new Error(
        `${pass.released.join(', ')}: somebody has released these addresses, and the others were given out without them; change the pool (docs/endpoints.md)`,
      );
    return undefined;
  };
  if (isCloudFormation(event)) await answerCloudFormation(event, work);
  else await work();
}
