import { spawnSync } from 'node:child_process';
import type { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { PrivateHostedZone } from 'aws-cdk-lib/aws-route53';
import {
  DnsRouting,
  ElasticAddresses,
  FtpsLoadBalancer,
  type FtpsLoadBalancerProps,
  FtpsService,
  type FtpsServiceProps,
  PassivePorts,
  PrivateAddresses,
  ServerCertificate,
} from '../../../lib';
import { flat, inboundRules, type Resources, shippedSettings, testStack } from '../support';

type Make = (stack: Stack, vpc: Vpc) => Partial<FtpsServiceProps>;

function service(make: Make, props: Partial<FtpsServiceProps> = {}): Template {
  const { stack, hostedZone } = testStack();
  const vpc = new Vpc(stack, 'Vpc', { natGateways: 0, maxAzs: 2, restrictDefaultSecurityGroup: false });
  new FtpsService(stack, 'Ftps', { domainName: 'ftps.example.com', hostedZone, clientCidrs: ['203.0.113.0/24'], vpc, ...make(stack, vpc), ...props });
  return Template.fromStack(stack);
}

const balanced: Make = (stack, vpc) => ({ endpoint: new FtpsLoadBalancer(stack, 'Balancer', { vpc, slots: 3 }) });
const elastic: Make = (stack) => ({ endpoint: new ElasticAddresses(stack, 'Pool', { count: 3 }) });
const inside: Make = (stack, vpc) => ({
  endpoint: new PrivateAddresses(stack, 'Private'),
  hostedZone: new PrivateHostedZone(stack, 'Inner', { zoneName: 'example.com', vpc }),
  certificate: ServerCertificate.fromAcm(stack, 'Certificate', {
    certificate: Certificate.fromCertificateArn(stack, 'Acm', 'arn:aws:acm:eu-central-1:111122223333:certificate/11111111-2222-3333-4444-555555555555'),
    names: ['ftps.example.com'],
  } as never),
});

/** Whether instances get public addresses when they start. */
function publicAddresses(template: Template): boolean {
  const [launch] = Object.values(template.findResources('AWS::EC2::LaunchTemplate') as Resources);
  return launch.Properties.LaunchTemplateData.NetworkInterfaces[0].AssociatePublicIpAddress;
}

/** The script that an instance runs at every boot. */
function startScript(template: Template): string {
  const [launch] = Object.values(template.findResources('AWS::EC2::LaunchTemplate') as Resources);
  return /<<'END_OF_SCRIPT'\n([\s\S]*)\nEND_OF_SCRIPT/.exec(flat(launch.Properties.LaunchTemplateData.UserData['Fn::Base64']))![1]!;
}

describe.each([
  ['elastic addresses', elastic],
  ['a load balancer', balanced],
  ['private addresses', inside],
] as const)('%s', (_, make) => {
  const template = service(make);

  it('open exactly the configured ports to the clients, and nothing else to anybody', () => {
    const fromClients = inboundRules(template).filter((rule) => !rule.endsWith('a security group'));
    expect(fromClients.sort()).toEqual(['21-21 203.0.113.0/24', '50000-50015 203.0.113.0/24', '990-990 203.0.113.0/24']);
  });

  it('are waited for by a script that a shell understands', () => {
    expect(spawnSync('bash', ['-n'], { input: startScript(template).replaceAll(/<[^<>\n]+>/g, 'value') })).toMatchObject({ status: 0 });
  });

  it('tell the server which group it is in, so that it drains', () => {
    const [group] = Object.values(template.findResources('AWS::AutoScaling::AutoScalingGroup') as Resources);
    const { AutoScalingGroupName, LifecycleHookSpecificationList } = group.Properties;
    const { lifecycle } = shippedSettings(template);
    expect(lifecycle).toMatchObject({ group: AutoScalingGroupName, hook: 'ftps-drain' });
    const drain = LifecycleHookSpecificationList.find(({ LifecycleHookName }: Resources) => LifecycleHookName === lifecycle.hook);
    expect(drain).toMatchObject({ DefaultResult: 'CONTINUE', LifecycleTransition: 'autoscaling:EC2_INSTANCE_TERMINATING' });
    expect(drain.HeartbeatTimeout).toBeGreaterThan(shippedSettings(template)['limits'].drainSeconds);
    const launch = LifecycleHookSpecificationList.find(({ LifecycleHookName }: Resources) => LifecycleHookName === 'ftps-launch');
    expect(launch).toMatchObject({ DefaultResult: 'ABANDON' });
    expect(startScript(template)).toContain(`--auto-scaling-group-name '${AutoScalingGroupName}' --lifecycle-hook-name ftps-launch`);
  });
});

describe('a load balancer', () => {
  const template = service(balanced);

  it('has a listener for each port and no other, and leads the passive ones to nobody until an instance has the slot', () => {
    const listeners = Object.values(template.findResources('AWS::ElasticLoadBalancingV2::Listener') as Resources).map(({ Properties }) => Properties.Port);
    const passive = Array.from({ length: 16 }, (_, index) => 50_000 + index);
    expect(listeners.sort((one, other) => one - other)).toEqual([21, 990, ...passive]);
    const [group] = Object.values(template.findResources('AWS::AutoScaling::AutoScalingGroup') as Resources);
    expect(group.Properties.TargetGroupARNs).toHaveLength(2);
    const groups = Object.values(template.findResources('AWS::ElasticLoadBalancingV2::TargetGroup') as Resources);
    for (const { Properties } of groups) {
      expect(Properties.TargetGroupAttributes).toContainEqual({ Key: 'preserve_client_ip.enabled', Value: 'true' });
      expect(Properties.HealthCheckPort).toBe('21');
    }
  });

  it('leaves a zone out of DNS where no instance of it takes sessions, whatever its passive ports lead to', () => {
    const groups = Object.values(template.findResources('AWS::ElasticLoadBalancingV2::TargetGroup') as Resources);
    const off = '{"Key":"target_group_health.dns_failover.minimum_healthy_targets.count","Value":"off"}';
    const deciding = groups.filter(({ Properties }) => !JSON.stringify(Properties.TargetGroupAttributes).includes(off));
    expect(deciding.map(({ Properties }) => Properties.Port).sort()).toEqual([21, 990]);
  });

  it('keeps a client in the zone of the address it came to, so that its data connections find its instance', () => {
    const [balancer] = Object.values(template.findResources('AWS::ElasticLoadBalancingV2::LoadBalancer') as Resources);
    expect(balancer.Properties.LoadBalancerAttributes).toContainEqual({ Key: 'load_balancing.cross_zone.enabled', Value: 'false' });
    expect(balancer.Properties.SubnetMappings).toHaveLength(2);
    expect(balancer.Properties.Subnets).toBeUndefined();
  });

  it('gives each slot its own slice, all of the range and no port twice', () => {
    const lambda = Object.values(template.findResources('AWS::Lambda::Function') as Resources).find(
      ({ Properties }) => Properties.Environment?.Variables?.SLOTS,
    );
    const slices = JSON.parse(lambda.Properties.Environment.Variables.SLOTS) as [number, number][];
    expect(slices).toEqual([
      [50_000, 50_004],
      [50_005, 50_009],
      [50_010, 50_015],
    ]);
    const script = startScript(template);
    for (const [index, [low, high]] of slices.entries()) expect(script).toContain(`${index + 1}) PORTS=${low}-${high} ;;`);
  });

  it.each([
    ['50000-50048', /passivePorts: 50000-50048 has 49 ports; a network load balancer has 50 listeners, of which 48 are left.*50000-50047 would fit/],
    ['50000-50001', /passivePorts: 50000-50001 has 2 ports for 3 slots.*50000-50002 would do/],
  ])('says what would fit where the range %s does not', (passivePorts, message) => {
    expect(() => service(balanced, { server: { passivePorts: PassivePorts.parse(passivePorts) } })).toThrow(message);
  });

  it('moves listeners, groups, door, slices and settings together when the range changes, and nothing else', () => {
    const moved = service(balanced, { server: { passivePorts: PassivePorts.of(8192, 8207) } });
    const ports = Object.values(moved.findResources('AWS::ElasticLoadBalancingV2::Listener') as Resources).map(({ Properties }) => Properties.Port);
    expect(ports.filter((port) => port > 990).sort()).toEqual(Array.from({ length: 16 }, (_, index) => 8192 + index));
    expect(shippedSettings(moved).passive.ports).toBe('8192-8207');
    // The hashes in logical ids and the digest by which the image is looked up follow from the ports.
    const text = (template: Template) =>
      JSON.stringify(template.toJSON())
        .replaceAll(/"Settings":"[0-9a-f]{10}"/g, '"Settings":""')
        .replaceAll(/[0-9A-F]{8}(?=")/g, '');
    // A hash of a file may have such digits, too.
    const swapped = text(template).replaceAll(/[0-9a-f]{64}|5000\d|5001[0-5]/g, (port) => (port.length === 5 ? String(Number(port) - 50_000 + 8192) : port));
    expect(sorted(JSON.parse(swapped))).toEqual(sorted(JSON.parse(text(moved))));
  });
});

/** Without the order of keys and lists, which is that of logical ids. */
function sorted(value: unknown): string[] {
  const lines: string[] = [];
  const walk = (one: unknown, path: string) => {
    if (typeof one === 'object' && one !== null) for (const [key, inner] of Object.entries(one)) walk(inner, `${path}/${Array.isArray(one) ? '' : key}`);
    else lines.push(`${path}=${String(one)}`);
  };
  walk(value, '');
  return lines.sort();
}

describe('addresses that are there already', () => {
  const ids = ['eipalloc-0a', 'eipalloc-0b', 'eipalloc-0c'];

  it('are taken by their allocation ids, looked up by the deployment, and none is made', () => {
    const template = service((stack) => ({ endpoint: new ElasticAddresses(stack, 'Pool', { allocationIds: ids }) }));
    template.resourceCountIs('AWS::EC2::EIP', 0);
    template.hasResourceProperties('AWS::CloudFormation::CustomResource', { AllocationIds: ids });
    const lambda = Object.values(template.findResources('AWS::Lambda::Function') as Resources).find(
      ({ Properties }) => Properties.Environment?.Variables?.ALLOCATION_IDS,
    );
    expect(lambda.Properties.Environment.Variables.ALLOCATION_IDS).toBe(ids.join(','));
    expect(startScript(template)).toMatch(/until case " <PoolExistingFound[^>]*Address1> <[^>]*Address2> <[^>]*Address3> " in/);
  });

  it('are those of a load balancer as well, one for each subnet', () => {
    const template = service((stack, vpc) => ({ endpoint: new FtpsLoadBalancer(stack, 'Balancer', { vpc, slots: 3, allocationIds: ids.slice(0, 2) }) }));
    template.resourceCountIs('AWS::EC2::EIP', 0);
    const [balancer] = Object.values(template.findResources('AWS::ElasticLoadBalancingV2::LoadBalancer') as Resources);
    expect(balancer.Properties.SubnetMappings.map(({ AllocationId }: Resources) => AllocationId)).toEqual(ids.slice(0, 2));
  });

  it.each<[string, Make, RegExp]>([
    ['as well as a count', (stack) => ({ endpoint: new ElasticAddresses(stack, 'Pool', { count: 2, allocationIds: ids }) }), /count, allocationIds: give one/],
    ['neither', (stack) => ({ endpoint: new ElasticAddresses(stack, 'Pool', {}) }), /count, allocationIds: give one/],
    ['too few', (stack) => ({ endpoint: new ElasticAddresses(stack, 'Pool', { allocationIds: ['eipalloc-0a'] }) }), /1 addresses are too few for 2/],
    ['an address', (stack) => ({ endpoint: new ElasticAddresses(stack, 'Pool', { allocationIds: ['203.0.113.7'] }) }), /"203.0.113.7" is no allocation id/],
    [
      'one twice',
      (stack) => ({ endpoint: new ElasticAddresses(stack, 'Pool', { allocationIds: ['eipalloc-0a', 'eipalloc-0a'] }) }),
      /eipalloc-0a is named twice/,
    ],
    [
      'another number than subnets',
      (stack, vpc) => ({ endpoint: new FtpsLoadBalancer(stack, 'Balancer', { vpc, slots: 3, allocationIds: ids }) }),
      /allocationIds: 3 for 2 subnets \(Test\/Vpc\/PublicSubnet1, Test\/Vpc\/PublicSubnet2\)/,
    ],
  ])('are refused: %s', (_, make, message) => {
    expect(() => service(make)).toThrow(message);
  });
});

describe('a load balancer inside', () => {
  const within = { vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED }, imageBuildCidr: '10.0.255.0/28' };
  const internal =
    (props: Partial<FtpsLoadBalancerProps> = {}): Make =>
    (stack, vpc) => ({
      endpoint: new FtpsLoadBalancer(stack, 'Balancer', { vpc, slots: 3, internetFacing: false, privateAddresses: ['10.0.128.10', '10.0.192.10'], ...props }),
    });
  const template = service(internal(), within);

  it('has private addresses alone, which the instances tell their clients, and no instance has a public one', () => {
    const [balancer] = Object.values(template.findResources('AWS::ElasticLoadBalancingV2::LoadBalancer') as Resources);
    expect(balancer.Properties.Scheme).toBe('internal');
    expect(balancer.Properties.SubnetMappings.map(({ PrivateIPv4Address }: Resources) => PrivateIPv4Address)).toEqual(['10.0.128.10', '10.0.192.10']);
    template.resourceCountIs('AWS::EC2::EIP', 0);
    expect(startScript(template)).toContain('ADDRESS=10.0.192.10 ;;');
    expect(publicAddresses(template)).toBe(false);
  });

  it.each<[string, Make, RegExp]>([
    ['no addresses', internal({ privateAddresses: undefined }), /privateAddresses: 0 for 2 subnets/],
    ['addresses of the internet', internal({ allocationIds: ['eipalloc-0a', 'eipalloc-0b'] }), /allocationIds: are addresses of the internet/],
    ['facing the internet', internal({ internetFacing: true }), /privateAddresses: are those of a load balancer with internetFacing: false/],
  ])('is refused with %s', (_, make, message) => {
    expect(() => service(make, within)).toThrow(message);
  });
});

describe('instances behind a load balancer', () => {
  it('have public addresses in public subnets, none in others, and none where it is said', () => {
    expect(publicAddresses(service(balanced))).toBe(true);
    expect(publicAddresses(service(balanced, { vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED }, imageBuildCidr: '10.0.255.0/28' }))).toBe(false);
    const without: Make = (stack, vpc) => ({ endpoint: new FtpsLoadBalancer(stack, 'Balancer', { vpc, slots: 3, publicInstances: false }) });
    expect(publicAddresses(service(without))).toBe(false);
  });

  it('may not start in a zone where it has no address', () => {
    const narrow: Make = (stack, vpc) => ({
      endpoint: new FtpsLoadBalancer(stack, 'Balancer', { vpc, slots: 3, vpcSubnets: { subnets: [vpc.publicSubnets[0]!] } }),
    });
    expect(() => service(narrow)).toThrow(
      /vpcSubnets: instances may start in .+, where the load balancer has no address \(it has .+\); give FtpsLoadBalancer a subnet there/,
    );
    const kept: Make = (stack, vpc) => ({ ...narrow(stack, vpc), vpcSubnets: { subnets: [vpc.publicSubnets[0]!] } });
    expect(() => service(kept)).not.toThrow();
  });

  it('lie in one zone each: two subnets of one zone are refused', () => {
    const twice: Make = (stack, vpc) => ({
      endpoint: new FtpsLoadBalancer(stack, 'Balancer', { vpc, slots: 3, vpcSubnets: { subnets: [vpc.publicSubnets[0]!, vpc.isolatedSubnets[0]!] } }),
    });
    expect(() => service(twice)).toThrow(/vpcSubnets: has two subnets in .+ and a network load balancer has one address in a zone/);
  });
});

describe('routing between services of one host name', () => {
  it('is told to the Lambda; a primary has a health check that follows an alarm, and needs no way in', () => {
    const template = service(elastic, { dnsRouting: DnsRouting.primary() });
    template.hasResourceProperties('AWS::Route53::HealthCheck', {
      HealthCheckConfig: { Type: 'CLOUDWATCH_METRIC', InsufficientDataHealthStatus: 'Unhealthy', AlarmIdentifier: { Region: 'eu-central-1' } },
    });
    const [lambda] = Object.values(template.findResources('AWS::Lambda::Function') as Resources).filter(
      ({ Properties }) => Properties.Environment?.Variables?.ROUTING,
    );
    expect(lambda.Properties.Environment.Variables).toMatchObject({
      ROUTING: '{"failover":"PRIMARY"}',
      HEALTH_CHECK_ID: { 'Fn::GetAtt': [expect.any(String), 'HealthCheckId'] },
    });
    const fromOthers = inboundRules(template).filter((rule) => !rule.endsWith('203.0.113.0/24'));
    expect(fromOthers.filter((rule) => !rule.endsWith('a security group'))).toEqual([]);
  });

  it('by weights has no health check unless one is given, behind a load balancer too', () => {
    const template = service(balanced, { dnsRouting: DnsRouting.weighted(10) });
    template.resourceCountIs('AWS::Route53::HealthCheck', 0);
    template.hasResourceProperties('AWS::CloudFormation::CustomResource', { Owner: 'Test-Ftps-Fleet', ROUTING: '{"weight":10}' });
  });

  it('is refused where it can say nothing', () => {
    expect(() => DnsRouting.weighted(256)).toThrow(/weight: 256 is no weight; write a whole number from 0 to 255/);
    expect(() => service(inside, { dnsRouting: DnsRouting.secondary(), hostedZone: undefined })).toThrow(
      /dnsRouting: says how records are chosen, and without hostedZone none/,
    );
  });
});

it('elastic addresses that are fewer than the instances may be stop synthesis', () => {
  expect(() => service(elastic, { instances: 3, maxInstances: 4 })).toThrow(/endpoint: 3 addresses are too few for 4 instances/);
});

it('private addresses have no address of the internet anywhere', () => {
  const template = service(inside);
  template.resourceCountIs('AWS::EC2::EIP', 0);
  const [launch] = Object.values(template.findResources('AWS::EC2::LaunchTemplate') as Resources);
  expect(launch.Properties.LaunchTemplateData.NetworkInterfaces[0].AssociatePublicIpAddress).toBe(false);
  expect(shippedSettings(template).listeners.map(({ advertisedAddress }: Resources) => advertisedAddress)).toEqual(['local', 'local']);
});

it('the Lambda of the addresses may give the addresses of its pool, and change the records of its name, and no others', () => {
  const template = service(elastic);
  const statements = Object.values(template.findResources('AWS::IAM::Policy') as Resources)
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement)
    .filter(({ Action }) => [Action].flat().some((action: string) => /Associate|ChangeResource/.test(action)));
  const [give, record] = statements;
  expect(give.Resource.filter((resource: unknown) => JSON.stringify(resource).includes('elastic-ip'))).toHaveLength(3);
  expect(record.Condition['ForAllValues:StringEquals']['route53:ChangeResourceRecordSetsNormalizedRecordNames']).toEqual(['ftps.example.com']);
});
