/** The Auto Scaling group: which of its instances there are, and which of them serve. */
import { type AutoScalingClient, DescribeAutoScalingGroupsCommand } from '@aws-sdk/client-auto-scaling';

export interface GroupInstance {
  readonly id: string;
  /** In service, so that clients may be sent there. */
  readonly serves: boolean;
}

export class InstanceGroup {
  constructor(
    private readonly client: AutoScalingClient,
    private readonly name: string,
  ) {}

  /** The instances that are there or coming. None where there is no such group yet. */
  async instances(): Promise<GroupInstance[]> {
    const { AutoScalingGroups } = await this.client.send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [this.name] }));
    return (AutoScalingGroups?.[0]?.Instances ?? [])
      .filter(({ LifecycleState }) => LifecycleState !== 'Terminated' && !LifecycleState?.startsWith('Warmed:'))
      .map(({ InstanceId, LifecycleState, HealthStatus }) => ({ id: InstanceId!, serves: LifecycleState === 'InService' && HealthStatus !== 'Unhealthy' }))
      .sort((one, other) => (one.id < other.id ? -1 : 1));
  }
}
