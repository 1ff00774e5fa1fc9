/** The built Lambda that keeps addresses and DNS in step, against moto's EC2, Auto Scaling and Route 53. */
import { join } from 'node:path';
import {
  AutoScalingClient,
  CreateAutoScalingGroupCommand,
  DescribeAutoScalingGroupsCommand,
  DetachInstancesCommand,
  SetDesiredCapacityCommand,
  SetInstanceHealthCommand,
  TerminateInstanceInAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import {
  AllocateAddressCommand,
  AssignIpv6AddressesCommand,
  CreateLaunchTemplateCommand,
  CreateSubnetCommand,
  CreateVpcCommand,
  DescribeAddressesCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeVpcsCommand,
  EC2Client,
  ReleaseAddressCommand,
  TerminateInstancesCommand,
} from '@aws-sdk/client-ec2';
import { ChangeResourceRecordSetsCommand, CreateHostedZoneCommand, ListResourceRecordSetsCommand, Route53Client } from '@aws-sdk/client-route-53';
import { awaitAnswers } from '../support/cloudformation';
import { type Moto, startMoto } from '../support/moto';

const NAME = 'ftps.example.com';
const bundle = join(__dirname, '../../../dist/lambda/endpoint-address-lifecycle/index.js');
let moto: Moto;
let ec2: EC2Client;
let autoScaling: AutoScalingClient;
let route53: Route53Client;
let zoneId: string;
let handler: (event?: unknown) => Promise<void>;

beforeAll(async () => {
  moto = await startMoto();
  [ec2, autoScaling, route53] = [new EC2Client({}), new AutoScalingClient({}), new Route53Client({})];
  const zone = await route53.send(new CreateHostedZoneCommand({ Name: 'example.com', CallerReference: 'test' }));
  zoneId = zone.HostedZone!.Id!.split('/').at(-1)!;
  // A neighbour that must never be touched.
  await route53.send(
    new ChangeResourceRecordSetsCommand({
      HostedZoneId: zoneId,
      ChangeBatch: {
        Changes: [{ Action: 'CREATE', ResourceRecordSet: { Name: `www.${NAME}`, Type: 'A', TTL: 60, ResourceRecords: [{ Value: '192.0.2.1' }] } }],
      },
    }),
  );
  process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';
  ({ handler } = require(bundle));
});
/** Each test is a service of its own; what the one before recorded is not its business (sharing.test.ts). */
afterEach(async () => {
  const { ResourceRecordSets } = await route53.send(new ListResourceRecordSetsCommand({ HostedZoneId: zoneId }));
  const Changes = ResourceRecordSets!.filter(({ Name }) => Name === `${NAME}.`).map((ResourceRecordSet) => ({ Action: 'DELETE' as const, ResourceRecordSet }));
  if (Changes.length > 0) await route53.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: zoneId, ChangeBatch: { Changes } }));
});
afterAll(() => moto.stop());

/** A group of its own with a pool of its own. */
async function fleet(name: string, instances: number, addresses = instances, subnetId?: string): Promise<void> {
  const { Images } = await ec2.send(new DescribeImagesCommand({}));
  await ec2.send(
    new CreateLaunchTemplateCommand({ LaunchTemplateName: name, LaunchTemplateData: { ImageId: Images![0]!.ImageId, InstanceType: 't4g.small' } }),
  );
  const allocationIds: string[] = [];
  for (let index = 0; index < addresses; index++) allocationIds.push((await ec2.send(new AllocateAddressCommand({ Domain: 'vpc' }))).AllocationId!);
  Object.assign(process.env, { GROUP_NAME: name, ALLOCATION_IDS: allocationIds.join(','), ZONE_ID: zoneId, RECORD_NAME: NAME });
  await autoScaling.send(
    new CreateAutoScalingGroupCommand({
      AutoScalingGroupName: name,
      LaunchTemplate: { LaunchTemplateName: name, Version: '1' },
      MinSize: 0,
      MaxSize: 10,
      DesiredCapacity: instances,
      ...(subnetId ? { VPCZoneIdentifier: subnetId } : { AvailabilityZones: ['eu-central-1a'] }),
    }),
  );
}

async function instances(): Promise<string[]> {
  const { AutoScalingGroups } = await autoScaling.send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [process.env['GROUP_NAME']!] }));
  return AutoScalingGroups![0]!.Instances!.map(({ InstanceId }) => InstanceId!).sort();
}

/** Who holds which address of the pool. */
async function holders(): Promise<Record<string, string | undefined>> {
  const { Addresses } = await ec2.send(new DescribeAddressesCommand({ AllocationIds: process.env['ALLOCATION_IDS']!.split(',') }));
  return Object.fromEntries(Addresses!.map(({ PublicIp, InstanceId }) => [PublicIp, InstanceId || undefined]));
}

async function dns(type: 'A' | 'AAAA' = 'A'): Promise<string[]> {
  const { ResourceRecordSets } = await route53.send(new ListResourceRecordSetsCommand({ HostedZoneId: zoneId }));
  return ResourceRecordSets!
    .filter((record) => record.Type === type && record.Name === `${NAME}.`)
    .flatMap(({ ResourceRecords = [], AliasTarget }) => (AliasTarget ? [AliasTarget.DNSName!] : ResourceRecords.map(({ Value }) => Value!)))
    .sort();
}

/** After a pass: every instance has exactly one address, every held address is an instance's, and DNS names those alone; where there are none, whatever it named last. */
async function expectInStep(): Promise<void> {
  const held = Object.entries(await holders()).filter(([, instance]) => instance !== undefined);
  expect(held.map(([, instance]) => instance).sort()).toEqual(await instances());
  if (held.length > 0) expect(await dns()).toEqual(held.map(([ip]) => ip).sort());
}

it('three instances launch, one dies, one is replaced', async () => {
  await fleet('three', 3);
  await handler({ 'detail-type': 'EC2 Instance-launch Lifecycle Action' });
  await expectInStep();
  const [first, second] = await instances();
  const before = await holders();

  await autoScaling.send(new TerminateInstanceInAutoScalingGroupCommand({ InstanceId: first!, ShouldDecrementDesiredCapacity: true }));
  await handler({ 'detail-type': 'EC2 Instance Terminate Successful' });
  await expectInStep();
  expect(await dns()).toHaveLength(2);

  await autoScaling.send(new SetDesiredCapacityCommand({ AutoScalingGroupName: 'three', DesiredCapacity: 3 }));
  await handler({});
  await expectInStep();
  // The others kept theirs, and the newcomer has the one that was left.
  const after = await holders();
  const ofSecond = Object.keys(before).find((ip) => before[ip] === second);
  expect(after[ofSecond!]).toBe(second);
  expect(Object.keys(after).sort()).toEqual(Object.keys(before).sort());
});

it('events that repeat, come late or never come leave no address lost or doubled', async () => {
  await fleet('random', 3, 4);
  let seed = 20_261_125;
  const random = (below: number) => {
    seed = (seed * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((seed / 2 ** 31) * below);
  };
  const event = () => ({ 'detail-type': ['EC2 Instance-launch Lifecycle Action', 'EC2 Instance-terminate Lifecycle Action', 'Scheduled Event'][random(3)] });
  for (let round = 0; round < 25; round++) {
    const present = await instances();
    const one = present[random(present.length)];
    const action = random(4);
    if (action === 0 && one) await autoScaling.send(new TerminateInstanceInAutoScalingGroupCommand({ InstanceId: one, ShouldDecrementDesiredCapacity: false }));
    if (action === 1) await autoScaling.send(new SetDesiredCapacityCommand({ AutoScalingGroupName: 'random', DesiredCapacity: random(5) }));
    if (action === 2 && one) {
      // It leaves the group with its address still on it, and ends a moment later.
      await autoScaling.send(new DetachInstancesCommand({ AutoScalingGroupName: 'random', InstanceIds: [one], ShouldDecrementDesiredCapacity: false }));
      if (random(2) === 0) await handler(event());
      await ec2.send(new TerminateInstancesCommand({ InstanceIds: [one] }));
    }
    // None, one or several events of what happened arrive; then the schedule comes by.
    for (let times = random(3); times > 0; times--) await handler(event());
    await handler({ 'detail-type': 'Scheduled Event' });
    await expectInStep();
  }
}, 120_000);

it('an unhealthy instance is not named in DNS, and keeps its address until it has gone', async () => {
  await fleet('sick', 2);
  await handler();
  const [one] = await instances();
  await autoScaling.send(new SetInstanceHealthCommand({ InstanceId: one!, HealthStatus: 'Unhealthy', ShouldRespectGracePeriod: false }));
  const held = await holders();
  await handler();
  expect(await dns()).toEqual(Object.keys(held).filter((ip) => held[ip] !== one));
  expect(await holders()).toEqual(held);
});

it('of a single instance the name leads on while it is replaced, so that no resolver learns that there is none', async () => {
  await fleet('single', 1);
  await handler();
  const before = await dns();
  await autoScaling.send(new SetDesiredCapacityCommand({ AutoScalingGroupName: 'single', DesiredCapacity: 0 }));
  await handler();
  expect(await instances()).toEqual([]);
  expect(await dns()).toEqual(before);
  await autoScaling.send(new SetDesiredCapacityCommand({ AutoScalingGroupName: 'single', DesiredCapacity: 1 }));
  await handler();
  await expectInStep();
});

it('a load balancer and addresses take each other’s place in one change, and neither takes the other away when it goes', async () => {
  const balancer = require(join(__dirname, '../../../dist/lambda/endpoint-slot-lifecycle/index.js')) as { handler: typeof handler };
  const NAME_OF_BALANCER = 'ftps-0123456789abcdef.elb.eu-central-1.amazonaws.com';
  const properties = { ZoneId: zoneId, RecordName: NAME, BalancerName: NAME_OF_BALANCER, BalancerZoneId: 'Z3F0SRJ5LGBH90' };
  await fleet('switched', 2);
  await handler();
  await expectInStep();
  const stack = await awaitAnswers();
  await balancer.handler(stack.request('Create', properties));
  expect(await dns()).toEqual([expect.stringContaining(NAME_OF_BALANCER)]);
  await handler(stack.request('Delete')); // the addresses go after the load balancer has come
  expect(await dns()).toEqual([expect.stringContaining(NAME_OF_BALANCER)]);
  await handler(stack.request('Create')); // and back
  await expectInStep();
  await balancer.handler(stack.request('Delete', properties));
  await expectInStep();
  stack.close();
  expect(stack.answers.map(({ Status }) => Status)).toEqual(['SUCCESS', 'SUCCESS', 'SUCCESS', 'SUCCESS']);
});

it('more instances than addresses: the last one waits, and has one as soon as one is free', async () => {
  await fleet('crowded', 3, 2);
  await handler();
  const held = Object.values(await holders());
  expect(new Set(held).size).toBe(2);
  expect(await dns()).toHaveLength(2);
  const leaving = held[0]!;
  await autoScaling.send(new TerminateInstanceInAutoScalingGroupCommand({ InstanceId: leaving, ShouldDecrementDesiredCapacity: true }));
  await handler();
  await expectInStep();
});

it('with IPv6 the name leads to both addresses of an instance that serves, and to neither when it has gone', async () => {
  const { Vpc } = await ec2.send(new CreateVpcCommand({ CidrBlock: '10.0.0.0/16', AmazonProvidedIpv6CidrBlock: true }));
  const { Vpcs } = await ec2.send(new DescribeVpcsCommand({ VpcIds: [Vpc!.VpcId!] }));
  const Ipv6CidrBlock = Vpcs![0]!.Ipv6CidrBlockAssociationSet![0]!.Ipv6CidrBlock!.replace('/56', '/64');
  const { Subnet } = await ec2.send(new CreateSubnetCommand({ VpcId: Vpc!.VpcId!, CidrBlock: '10.0.0.0/24', Ipv6CidrBlock }));
  await fleet('six', 2, 2, Subnet!.SubnetId!);
  process.env['IPV6'] = 'true';
  try {
    const { Reservations } = await ec2.send(new DescribeInstancesCommand({ InstanceIds: await instances() }));
    const second: string[] = [];
    for (const { NetworkInterfaces } of Reservations!.flatMap(({ Instances }) => Instances!)) {
      const { NetworkInterfaceId } = NetworkInterfaces![0]!;
      second.push(...(await ec2.send(new AssignIpv6AddressesCommand({ NetworkInterfaceId: NetworkInterfaceId!, Ipv6AddressCount: 1 }))).AssignedIpv6Addresses!);
    }
    await handler();
    await expectInStep();
    expect(await dns('AAAA')).toEqual(second.sort());
    const [leaving] = await instances();
    await autoScaling.send(new TerminateInstanceInAutoScalingGroupCommand({ InstanceId: leaving!, ShouldDecrementDesiredCapacity: true }));
    await handler();
    await handler();
    await expectInStep();
    expect(await dns('AAAA')).toHaveLength(1);
  } finally {
    delete process.env['IPV6'];
  }
  await handler();
  expect(await dns('AAAA')).toEqual([]);
});

it('one address that somebody has released is missed and told, and keeps neither the others back nor the service from going', async () => {
  await fleet('released', 2, 3);
  const [gone] = process.env['ALLOCATION_IDS']!.split(',');
  await ec2.send(new ReleaseAddressCommand({ AllocationId: gone! }));
  await expect(handler()).rejects.toThrow(`${gone}: somebody has released these addresses`);
  process.env['ALLOCATION_IDS'] = process.env['ALLOCATION_IDS']!.replace(`${gone},`, '');
  await expectInStep();
  process.env['ALLOCATION_IDS'] += `,${gone}`;
  const stack = await awaitAnswers();
  await handler(stack.request('Delete'));
  stack.close();
  expect(stack.answers).toEqual([expect.objectContaining({ Status: 'SUCCESS' })]);
  expect(await dns()).toEqual([]);
});

it.each(['endpoint-address-lifecycle', 'endpoint-slot-lifecycle'])('a zone that went first does not hold up a service that goes (%s)', async (name) => {
  await fleet(`zoneless-${name}`, 0, 1);
  process.env['ZONE_ID'] = 'ZGONE';
  const stack = await awaitAnswers();
  const { handler: own } = require(join(__dirname, `../../../dist/lambda/${name}/index.js`)) as { handler: typeof handler };
  await own(stack.request('Delete', { ZoneId: 'ZGONE', RecordName: NAME, BalancerName: 'one.elb.amazonaws.com', BalancerZoneId: 'Z1' }));
  stack.close();
  expect(stack.answers).toEqual([expect.objectContaining({ Status: 'SUCCESS' })]);
});

it('records go when the stack goes, and only those; a second pass changes nothing', async () => {
  await fleet('ends', 2);
  await handler();
  await handler();
  await expectInStep();
  const stack = await awaitAnswers();
  await handler(stack.request('Delete'));
  stack.close();
  expect(stack.answers).toEqual([expect.objectContaining({ Status: 'SUCCESS' })]);
  expect(await dns()).toEqual([]);
  const { ResourceRecordSets } = await route53.send(new ListResourceRecordSetsCommand({ HostedZoneId: zoneId }));
  expect(ResourceRecordSets!.some(({ Name }) => Name === `www.${NAME}.`)).toBe(true);
});
