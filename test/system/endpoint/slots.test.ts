/** The built Lambda that gives instances their slice of the passive ports, against moto's EC2, Auto Scaling and Elastic Load Balancing. */
import { join } from 'node:path';
import {
  AutoScalingClient,
  CreateAutoScalingGroupCommand,
  DescribeAutoScalingGroupsCommand,
  SetDesiredCapacityCommand,
  TerminateInstanceInAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import {
  CreateLaunchTemplateCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeSubnetsCommand,
  DescribeVpcsCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import {
  CreateListenerCommand,
  CreateLoadBalancerCommand,
  CreateTargetGroupCommand,
  DescribeTargetHealthCommand,
  ElasticLoadBalancingV2Client,
} from '@aws-sdk/client-elastic-load-balancing-v2';
import { type Moto, startMoto } from '../support/moto';

const SLOTS = [
  [50_000, 50_001],
  [50_002, 50_003],
  [50_004, 50_005],
] as const;
let moto: Moto;
let ec2: EC2Client;
let autoScaling: AutoScalingClient;
let balancing: ElasticLoadBalancingV2Client;
let handler: (event?: unknown) => Promise<void>;
/** Port → target group. */
const groups = new Map<number, string>();

beforeAll(async () => {
  moto = await startMoto();
  [ec2, autoScaling, balancing] = [new EC2Client({}), new AutoScalingClient({}), new ElasticLoadBalancingV2Client({})];
  const VpcId = (await ec2.send(new DescribeVpcsCommand({}))).Vpcs![0]!.VpcId;
  const Subnets = (await ec2.send(new DescribeSubnetsCommand({}))).Subnets!.map(({ SubnetId }) => SubnetId!);
  const balancer = await balancing.send(new CreateLoadBalancerCommand({ Name: 'ftps', Type: 'network', Subnets }));
  const LoadBalancerArn = balancer.LoadBalancers![0]!.LoadBalancerArn!;
  for (const Port of [21, 990, ...SLOTS.flat()]) {
    const made = await balancing.send(new CreateTargetGroupCommand({ Name: `port-${Port}`, Port, Protocol: 'TCP', VpcId, TargetType: 'instance' }));
    const TargetGroupArn = made.TargetGroups![0]!.TargetGroupArn!;
    groups.set(Port, TargetGroupArn);
    await balancing.send(new CreateListenerCommand({ LoadBalancerArn, Port, Protocol: 'TCP', DefaultActions: [{ Type: 'forward', TargetGroupArn }] }));
  }
  const ImageId = (await ec2.send(new DescribeImagesCommand({}))).Images![0]!.ImageId;
  await ec2.send(new CreateLaunchTemplateCommand({ LaunchTemplateName: 'fleet', LaunchTemplateData: { ImageId, InstanceType: 't4g.small' } }));
  await autoScaling.send(
    new CreateAutoScalingGroupCommand({
      AutoScalingGroupName: 'fleet',
      LaunchTemplate: { LaunchTemplateName: 'fleet', Version: '1' },
      MinSize: 0,
      MaxSize: 10,
      DesiredCapacity: 3,
      AvailabilityZones: ['eu-central-1a'],
    }),
  );
  Object.assign(process.env, { POWERTOOLS_LOG_LEVEL: 'SILENT', GROUP_NAME: 'fleet', SLOTS: JSON.stringify(SLOTS), LOAD_BALANCER_ARN: LoadBalancerArn });
  ({ handler } = require(join(__dirname, '../../../dist/lambda/endpoint-slot-lifecycle/index.js')));
});
afterAll(() => moto.stop());

async function instances(): Promise<string[]> {
  const { AutoScalingGroups } = await autoScaling.send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: ['fleet'] }));
  return AutoScalingGroups![0]!.Instances!.map(({ InstanceId }) => InstanceId!).sort();
}

/** What each instance reads from its metadata. */
async function slots(): Promise<Record<string, string | undefined>> {
  const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: await instances() }));
  const all = Reservations!.flatMap(({ Instances }) => Instances!);
  return Object.fromEntries(all.map(({ InstanceId, Tags }) => [InstanceId, Tags?.find(({ Key }) => Key === 'ftps-slot')?.Value]));
}

async function leadsTo(port: number): Promise<string[]> {
  const { TargetHealthDescriptions } = await balancing.send(new DescribeTargetHealthCommand({ TargetGroupArn: groups.get(port)! }));
  return TargetHealthDescriptions!.filter(({ TargetHealth }) => TargetHealth?.State !== 'draining').map(({ Target }) => Target!.Id!);
}

/** Each slot has one instance at most, and its ports lead there and nowhere else. */
async function expectInStep(): Promise<void> {
  const held = await slots();
  const given = Object.values(held).filter((slot) => slot !== undefined);
  expect(new Set(given).size).toBe(given.length);
  for (const [index, ports] of SLOTS.entries()) {
    const holder = Object.keys(held).find((id) => held[id] === String(index + 1));
    for (const port of ports) expect([port, await leadsTo(port)]).toEqual([port, holder ? [holder] : []]);
  }
  expect(await leadsTo(21)).toEqual([]); // the control ports are the group's own business
}

it('each instance has a slice, and the ports of a slice lead to it alone', async () => {
  await handler();
  await expectInStep();
  expect(Object.values(await slots()).sort()).toEqual(['1', '2', '3']);
});

it('a replacement takes over the slice of its predecessor', async () => {
  const before = await slots();
  const [gone, ...others] = Object.keys(before);
  await autoScaling.send(new TerminateInstanceInAutoScalingGroupCommand({ InstanceId: gone!, ShouldDecrementDesiredCapacity: false }));
  await instances(); // moto replaces it when asked
  await handler();
  await handler();
  await expectInStep();
  const after = await slots();
  const [newcomer] = Object.keys(after).filter((id) => !(id in before));
  expect(after[newcomer!]).toBe(before[gone!]);
  for (const other of others) expect(after[other]).toBe(before[other]);
});

it('one more than there are slots waits; with fewer, the ports of the free slot lead nowhere', async () => {
  await autoScaling.send(new SetDesiredCapacityCommand({ AutoScalingGroupName: 'fleet', DesiredCapacity: 4 }));
  await handler();
  await expectInStep();
  expect(Object.values(await slots()).filter((slot) => slot === undefined)).toHaveLength(1);
  const held = await slots();
  const leaving = Object.keys(held).find((id) => held[id] === '2')!;
  await autoScaling.send(new TerminateInstanceInAutoScalingGroupCommand({ InstanceId: leaving, ShouldDecrementDesiredCapacity: true }));
  await handler();
  await expectInStep();
  expect(Object.values(await slots()).sort()).toEqual(['1', '2', '3']);
  await autoScaling.send(new SetDesiredCapacityCommand({ AutoScalingGroupName: 'fleet', DesiredCapacity: 1 }));
  await handler();
  await expectInStep();
});
