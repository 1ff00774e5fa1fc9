/** The target groups of the passive ports, one for each port, found by their port. */
import {
  DeregisterTargetsCommand,
  DescribeTargetGroupsCommand,
  DescribeTargetHealthCommand,
  type ElasticLoadBalancingV2Client,
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

  /** Lets a port lead to this instance alone, or to none. Answers whether anything had to be changed. */
  async lead(TargetGroupArn: string, instanceId: string | undefined): Promise<boolean> {
    const { TargetHealthDescriptions = [] } = await this.client.send(new DescribeTargetHealthCommand({ TargetGroupArn }));
    const present = TargetHealthDescriptions.filter(({ TargetHealth }) => TargetHealth?.State !== 'draining').flatMap(({ Target }) => Target?.Id ?? []);
    const others = present.filter((id) => id !== instanceId);
    const missing = instanceId !== undefined && !present.includes(instanceId);
    if (others.length > 0) await this.client.send(new DeregisterTargetsCommand({ TargetGroupArn, Targets: others.map((Id) => ({ Id })) }));
    if (missing) await this.client.send(new RegisterTargetsCommand({ TargetGroupArn, Targets: [{ Id: instanceId }] }));
    return others.length > 0 || missing;
  }
}
