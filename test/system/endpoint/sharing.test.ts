/** Two services on one host name, against moto: neither touches what the other, an earlier version or a person has recorded there. */
import { join } from 'node:path';
import {
  AutoScalingClient,
  CreateAutoScalingGroupCommand,
  DescribeAutoScalingGroupsCommand,
  SetDesiredCapacityCommand,
  TerminateInstanceInAutoScalingGroupCommand,
} from '@aws-sdk/client-auto-scaling';
import { AllocateAddressCommand, CreateLaunchTemplateCommand, DescribeAddressesCommand, DescribeImagesCommand, EC2Client } from '@aws-sdk/client-ec2';
import {
  type Change,
  ChangeResourceRecordSetsCommand,
  CreateHostedZoneCommand,
  ListResourceRecordSetsCommand,
  type ResourceRecordSet,
  Route53Client,
} from '@aws-sdk/client-route-53';
import { awaitAnswers, type Stack } from '../support/cloudformation';
import { type Moto, startMoto } from '../support/moto';

const NAME = 'ftps.example.com';
const BALANCER = 'ftps-0123456789abcdef.elb.eu-central-1.amazonaws.com';
const bundle = (name: string) => join(__dirname, `../../../dist/lambda/endpoint-${name}/index.js`);
let moto: Moto;
let ec2: EC2Client;
let autoScaling: AutoScalingClient;
let route53: Route53Client;
let zoneId: string;
let stack: Stack;
let zones = 0;

beforeAll(async () => {
  moto = await startMoto();
  [ec2, autoScaling, route53] = [new EC2Client({}), new AutoScalingClient({}), new Route53Client({})];
  process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';
  stack = await awaitAnswers();
});
beforeEach(async () => {
  const { HostedZone } = await route53.send(new CreateHostedZoneCommand({ Name: 'example.com', CallerReference: String(++zones) }));
  zoneId = HostedZone!.Id!.split('/').at(-1)!;
});
afterAll(async () => {
  stack?.close();
  await moto?.stop();
});

/** A service as its Lambda sees it: a group, a pool of addresses, and how its records are chosen. */
class Service {
  ips: string[] = [];
  private allocationIds: string[] = [];

  constructor(
    readonly name: string,
    public routing: object = {},
  ) {}

  async start(instances: number): Promise<this> {
    const { Images } = await ec2.send(new DescribeImagesCommand({}));
    await ec2.send(new CreateLaunchTemplateCommand({ LaunchTemplateName: this.name, LaunchTemplateData: { ImageId: Images![0]!.ImageId } }));
    for (let index = 0; index < instances; index++) {
      const { AllocationId, PublicIp } = await ec2.send(new AllocateAddressCommand({ Domain: 'vpc' }));
      this.allocationIds.push(AllocationId!);
      this.ips.push(PublicIp!);
    }
    this.ips.sort();
    await autoScaling.send(
      new CreateAutoScalingGroupCommand({
        AutoScalingGroupName: this.name,
        LaunchTemplate: { LaunchTemplateName: this.name, Version: '1' },
        ...{ MinSize: 0, MaxSize: 5, DesiredCapacity: instances, AvailabilityZones: ['eu-central-1a'] },
      }),
    );
    return this;
  }

  /** The Lambda runs: for an event of the group, or for what CloudFormation asks. */
  async run(request?: 'Create' | 'Update' | 'Delete'): Promise<string | undefined> {
    this.use({ ALLOCATION_IDS: this.allocationIds.join(','), ZONE_ID: zoneId, RECORD_NAME: NAME });
    return this.call('address-lifecycle', request);
  }

  /** The same with a load balancer as endpoint. */
  async balance(request?: 'Create' | 'Update' | 'Delete', dnsName = BALANCER): Promise<string | undefined> {
    const record = { ZoneId: zoneId, RecordName: NAME, BalancerName: dnsName, BalancerZoneId: 'Z3F0SRJ5LGBH90' };
    this.use({ RECORD: JSON.stringify(record), SLOTS: '[]' });
    return this.call('slot-lifecycle', request, record);
  }

  async scale(DesiredCapacity: number): Promise<void> {
    await autoScaling.send(new SetDesiredCapacityCommand({ AutoScalingGroupName: this.name, DesiredCapacity }));
  }

  async held(): Promise<string[]> {
    const { Addresses } = await ec2.send(new DescribeAddressesCommand({ AllocationIds: this.allocationIds }));
    return Addresses!.filter(({ InstanceId }) => InstanceId).map(({ PublicIp }) => PublicIp!);
  }

  private use(variables: Record<string, string>): void {
    for (const key of ['ALLOCATION_IDS', 'ZONE_ID', 'RECORD_NAME', 'RECORD', 'SLOTS']) delete process.env[key];
    Object.assign(process.env, { GROUP_NAME: this.name, ROUTING: JSON.stringify(this.routing), ...variables });
  }

  private async call(name: string, request?: 'Create' | 'Update' | 'Delete', properties: Record<string, string> = {}): Promise<string | undefined> {
    const { handler } = require(bundle(name)) as { handler: (event?: object) => Promise<void> };
    if (!request) return handler().then(() => undefined);
    await handler(stack.request(request, properties));
    const { Status, Reason } = stack.answers.at(-1)! as { Status: string; Reason?: string };
    return Status === 'SUCCESS' ? undefined : Reason;
  }
}

async function records(): Promise<ResourceRecordSet[]> {
  const { ResourceRecordSets } = await route53.send(new ListResourceRecordSetsCommand({ HostedZoneId: zoneId }));
  return ResourceRecordSets!.filter((record) => record.Type === 'A' && record.Name === `${NAME}.`);
}

/** Each record as `kind: values`. */
async function dns(): Promise<string[]> {
  return (await records())
    .map(({ MultiValueAnswer, Weight, Failover, ResourceRecords = [], AliasTarget }) => {
      const kind = MultiValueAnswer ? 'multivalue' : Weight !== undefined ? `weight ${Weight}` : (Failover ?? 'simple');
      return `${kind}: ${AliasTarget?.DNSName?.replace(/\.$/, '') ?? ResourceRecords.map(({ Value }) => Value).join(' ')}`;
    })
    .sort();
}

const put = (...sets: Omit<ResourceRecordSet, 'Name' | 'Type'>[]) =>
  route53.send(
    new ChangeResourceRecordSetsCommand({
      HostedZoneId: zoneId,
      ChangeBatch: { Changes: sets.map((set): Change => ({ Action: 'CREATE', ResourceRecordSet: { Name: NAME, Type: 'A', ...set } })) },
    }),
  );

const simple = (...ips: string[]) => ips.map((ip) => `multivalue: ${ip}`);

it('two services on one name are answered side by side, and each keeps, changes and deletes its own records alone', async () => {
  const [one, other] = [await new Service('side-one').start(2), await new Service('side-other').start(1)];
  await one.run('Create');
  await other.run('Create');
  await one.run();
  await other.run();
  expect(await dns()).toEqual(simple(...one.ips, ...other.ips).sort());
  await one.scale(1);
  await one.run();
  const left = await one.held();
  expect(await dns()).toEqual(simple(...left, ...other.ips).sort());
  await other.run('Delete');
  expect(await dns()).toEqual(simple(...left));
});

it('blue/green: clients move by weights, at any moment at least one service is named, and the old one goes without a trace', async () => {
  const blue = await new Service('blue').start(2);
  const green = new Service('green', { weight: 0 });
  await blue.run('Create'); // alone on its name, as it always was
  blue.routing = { weight: 100 };
  await blue.run('Update');
  expect(await dns()).toEqual([`weight 100: ${blue.ips.join(' ')}`]);
  await green.start(2);
  await green.run('Create');
  expect(await dns()).toEqual([`weight 0: ${green.ips.join(' ')}`, `weight 100: ${blue.ips.join(' ')}`]);
  [green.routing, blue.routing] = [{ weight: 10 }, { weight: 90 }];
  await green.run('Update');
  await blue.run('Update');
  expect(await dns()).toEqual([`weight 10: ${green.ips.join(' ')}`, `weight 90: ${blue.ips.join(' ')}`]);
  blue.routing = { weight: 0 };
  await blue.run('Update');
  await blue.scale(0);
  await blue.run(); // nobody serves there: its record stays, with no weight
  await blue.run('Delete');
  expect(await dns()).toEqual([`weight 10: ${green.ips.join(' ')}`]);
  green.routing = {};
  await green.run('Update');
  expect(await dns()).toEqual(simple(...green.ips));
});

it('failover: one primary and one secondary, with the health check of the primary; a second primary is refused in words', async () => {
  const primary = await new Service('primary', { failover: 'PRIMARY' }).start(1);
  const secondary = await new Service('secondary', { failover: 'SECONDARY' }).start(1);
  process.env['HEALTH_CHECK_ID'] = 'abcdef11-2222-3333-4444-555555fedcba';
  await primary.run('Create');
  delete process.env['HEALTH_CHECK_ID'];
  await secondary.run('Create');
  expect(await dns()).toEqual([`PRIMARY: ${primary.ips[0]}`, `SECONDARY: ${secondary.ips[0]}`]);
  expect((await records()).map(({ Failover, HealthCheckId }) => [Failover, HealthCheckId])).toContainEqual(['PRIMARY', 'abcdef11-2222-3333-4444-555555fedcba']);
  secondary.routing = { failover: 'PRIMARY' };
  expect(await secondary.run('Update')).toMatch(/ftps\.example\.com leads to what is not of this service \(A, failover PRIMARY, "primary eu-central-1"/);
  expect(await dns()).toEqual([`PRIMARY: ${primary.ips[0]}`, `SECONDARY: ${secondary.ips[0]}`]);
});

it('a record that a person made is left alone, and the deployment says which it is', async () => {
  await put({ TTL: 60, ResourceRecords: [{ Value: '192.0.2.1' }] });
  const service = await new Service('late').start(1);
  expect(await service.run('Create')).toMatch(/\(A, simple, 192\.0\.2\.1\).*Delete that record, or give all services on this name the same kind of DnsRouting/);
  expect(await service.balance('Create')).toMatch(/\(A, simple, 192\.0\.2\.1\)/);
  expect(await dns()).toEqual(['simple: 192.0.2.1']);
});

it('an alias to somebody else’s load balancer is left alone as well', async () => {
  const AliasTarget = { DNSName: 'other-0.elb.eu-central-1.amazonaws.com', HostedZoneId: 'Z3F0SRJ5LGBH90', EvaluateTargetHealth: false };
  await put({ AliasTarget });
  const service = await new Service('aliased').start(1);
  expect(await service.run('Create')).toMatch(/\(A, simple, other-0\.elb/);
  await service.balance('Delete');
  expect(await dns()).toEqual([`simple: ${AliasTarget.DNSName}`]);
});

describe('an update from a version that named records by their addresses', () => {
  const earlier = (ip: string) => ({ SetIdentifier: ip, MultiValueAnswer: true, TTL: 30, ResourceRecords: [{ Value: ip }] });

  it('changes the records of its own addresses in one step, and leaves those of another service', async () => {
    const service = await new Service('updated').start(2);
    await put(...service.ips.map(earlier), earlier('192.0.2.7'));
    await service.run('Update');
    expect(await dns()).toEqual(simple(...service.ips, '192.0.2.7').sort());
    const owners = (await records()).map(({ SetIdentifier }) => SetIdentifier);
    expect(owners.sort()).toEqual(['192.0.2.7', ...service.ips.map((ip) => `updated eu-central-1 ${ip}`)].sort());
    await service.run('Delete');
    expect(await dns()).toEqual(simple('192.0.2.7'));
  });

  it('does so before the first deployment has called it, by the next event', async () => {
    const service = await new Service('event').start(1);
    await put(...service.ips.map(earlier));
    await service.run();
    expect((await records()).map(({ SetIdentifier }) => SetIdentifier)).toEqual([`event eu-central-1 ${service.ips[0]}`]);
  });

  it('takes the alias of its own load balancer for its own', async () => {
    const service = await new Service('balanced').start(1);
    await put({ AliasTarget: { DNSName: BALANCER, HostedZoneId: 'Z3F0SRJ5LGBH90', EvaluateTargetHealth: false } });
    await service.balance('Update');
    expect(await dns()).toEqual([`weight 1: ${BALANCER}`]);
    await service.balance('Delete');
    expect(await dns()).toEqual([]);
  });

  it('becomes a load balancer in the same deployment', async () => {
    const service = await new Service('becomes').start(1);
    await service.run(); // gives the address
    await service.run('Delete');
    await put(...service.ips.map(earlier));
    await service.balance('Create');
    expect(await dns()).toEqual([`weight 1: ${BALANCER}`]);
  });
});

it('an event that comes while a load balancer has taken the name changes nothing, and the way back finds the addresses again', async () => {
  const service = await new Service('switched').start(1);
  await service.run('Create');
  await service.balance('Create');
  await service.run(); // the Lambda of the addresses is there until the deployment cleans up
  expect(await dns()).toEqual([`weight 1: ${BALANCER}`]);
  await service.balance('Delete'); // the deployment failed: what it made goes first
  expect(await dns()).toEqual([]);
  await service.run();
  expect(await dns()).toEqual(simple(...service.ips));
});

it('a load balancer whose alias is gone has it again by the next event, for as long as instances serve', async () => {
  const service = await new Service('again').start(1);
  await service.balance();
  expect(await dns()).toEqual([`weight 1: ${BALANCER}`]);
  await service.balance('Delete');
  const { AutoScalingGroups } = await autoScaling.send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: ['again'] }));
  const [instance] = AutoScalingGroups![0]!.Instances!;
  await autoScaling.send(new TerminateInstanceInAutoScalingGroupCommand({ InstanceId: instance!.InstanceId!, ShouldDecrementDesiredCapacity: true }));
  await service.balance();
  expect(await dns()).toEqual([]);
});
