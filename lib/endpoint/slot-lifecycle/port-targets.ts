/** The target groups of the passive ports, one for each port, found by their port. */
import {
  DeregisterTargetsCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
  type ElasticLoadBalancingV2Client,
  InvalidTargetException,
  RegisterTargetsCommand,
} from '@aws-sdk/client-elastic-load-balancing-v2';

export class PortTargets {
  constructor(
    private readonly client: ElasticLoadBalancingV2Client,
    private readonly loadBalancerArn: string,
  ) {}

  /** Port → target group, of every listener of the load balancer. */
  async groups(): Promise<Map<number, string>> {
    const groups = new Map<number, string>();
    let Marker: string | undefined;
    do {
      const page = await this.client.send(new DescribeTargetGroupsCommand({ LoadBalancerArn: this.loadBalancerArn, Marker }));
      for (const { Port, TargetGroupArn } of page.TargetGroups ?? []) groups.set(Port!, TargetGroupArn!);
      Marker = page.NextMarker;
    } while (Marker);
    return groups;
  }

  /**
   * Lets a port lead to this instance alone, or to none. Answers whether anything had to be changed. An instance that is only being started can't be a target
   * yet, and one that ends no more (API reference, "RegisterTargets"); the next run finds it as it is by then.
   */
  async lead(TargetGroupArn: string, instanceId: string | undefined): Promise<boolean> {
    const { TargetHealthDescriptions = [] } = await this.client.send(new DescribeTargetHealthCommand({ TargetGroupArn }));
    const present = TargetHealthDescriptions.filter(({ TargetHealth }) => TargetHealth?.State !== 'draining').flatMap(({ Target }) => Target?.Id ?? []);
    const others = present.filter((id) => id !== instanceId);
    const missing = instanceId !== undefined && !present.includes(instanceId);
    const left = others.length > 0 && (await taken(this.client.send(new DeregisterTargetsCommand({ TargetGroupArn, Targets: others.map((Id) => ({ Id })) }))));
    const led = missing && (await taken(this.client.send(new RegisterTargetsCommand({ TargetGroupArn, Targets: [{ Id: instanceId }] }))));
    return left || led;
  }
}

/** False where the instance is in no state for it. */
async function taken(request: Promise<unknown>): Promise<boolean> {
  try {
    await request;
    return true;
  } catch (error) {
    if (error instanceof InvalidTargetException) return false;
    throw error;
  }
}
