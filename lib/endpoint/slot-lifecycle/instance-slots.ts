/** Which slot an instance has: a tag, which the instance reads from its metadata. */
import { CreateTagsCommand, DescribeInstancesCommand, type EC2Client } from '@aws-sdk/client-ec2';
import { SLOT_TAG } from './slot-tag';

export class InstanceSlots {
  constructor(private readonly client: EC2Client) {}

  /** Instance → slot, of those that have one. */
  async of(instanceIds: readonly string[]): Promise<Map<string, number>> {
    if (instanceIds.length === 0) return new Map();
    const { Reservations = [] } = await this.client.send(new DescribeInstancesCommand({ Filters: [{ Name: 'instance-id', Values: [...instanceIds] }] }));
    const slots = new Map<string, number>();
    for (const { InstanceId, Tags = [] } of Reservations.flatMap(({ Instances = [] }) => Instances)) {
      const slot = Number(Tags.find(({ Key }) => Key === SLOT_TAG)?.Value);
      if (InstanceId && Number.isInteger(slot)) slots.set(InstanceId, slot);
    }
    return slots;
  }

  async give(instanceId: string, slot: number): Promise<void> {
    await this.client.send(new CreateTagsCommand({ Resources: [instanceId], Tags: [{ Key: SLOT_TAG, Value: String(slot) }] }));
  }
}
