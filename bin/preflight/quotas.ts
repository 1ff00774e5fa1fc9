/** Whether what the account may have is enough for what the templates make, beside what is there already. */
import {
  DescribeAddressesCommand,
  DescribeInstanceTypeOfferingsCommand,
  DescribeInstanceTypesCommand,
  DescribeManagedPrefixListsCommand,
  DescribeSubnetsCommand,
  DescribeVpcsCommand,
  EC2Client,
  paginateDescribeInstances,
} from '@aws-sdk/client-ec2';
import { GetAccountSettingsCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { GetAWSDefaultServiceQuotaCommand, GetServiceQuotaCommand, ServiceQuotasClient } from '@aws-sdk/client-service-quotas';
import { type Finding, looking, ok, problem, warning } from './finding';
import type { GroupRules, Needs } from './needs';

/** Lambda keeps so many for functions that reserve none, all of them where the account has fewer (Lambda developer guide, "Configuring reserved concurrency"). */
const UNRESERVED = 100;

const increase = (name: string, service: string, code: string, value: number) =>
  `Ask for more: aws service-quotas request-service-quota-increase --service-code ${service} --quota-code ${code} --desired-value ${value} ("${name}").`;

/** The account's value of a quota, or the default where it has none of its own. */
async function quota(ServiceCode: string, QuotaCode: string): Promise<number> {
  const client = new ServiceQuotasClient({});
  const applied = await client.send(new GetServiceQuotaCommand({ ServiceCode, QuotaCode })).catch((error: Error) => {
    if (error.name !== 'NoSuchResourceException') throw error;
    return client.send(new GetAWSDefaultServiceQuotaCommand({ ServiceCode, QuotaCode }));
  });
  return applied.Quota!.Value!;
}

export async function quotaFindings(needs: Needs): Promise<readonly Finding[]> {
  return (await Promise.all([concurrency(needs), addresses(needs), networks(needs), subnets(needs), rules(needs), listeners(needs), machines(needs)])).flat();
}

const concurrency = ({ functions, reservedConcurrency }: Needs) =>
  looking('lambda', 'lambda:GetAccountSettings', async () => {
    if (functions === 0) return [];
    const { AccountLimit } = await new LambdaClient({}).send(new GetAccountSettingsCommand({}));
    const { ConcurrentExecutions: all = 0, UnreservedConcurrentExecutions: left = all } = AccountLimit ?? {};
    const advice = increase('Concurrent executions', 'lambda', 'L-B99A9384', Math.max(1000, all));
    if (reservedConcurrency > 0 && left - reservedConcurrency < Math.min(UNRESERVED, all))
      return [
        problem(
          'lambda',
          `${left} of the account's ${all} concurrent executions are free; ${reservedConcurrency} are to be reserved, and ${Math.min(UNRESERVED, all)} have to stay free`,
          `${advice} It takes hours; meanwhile deploy without reserved concurrency, where a setting lets you.`,
        ),
      ];
    if (left < 10) return [warning('lambda', `${left} concurrent executions are free, and ${functions} Lambdas share them with whatever else runs`, advice)];
    return [ok('lambda', `${left} concurrent executions are free, ${reservedConcurrency} are to be reserved`)];
  });

/** Whether a tag of CloudFormation says that it is part of a stack of this environment, so that it is no further one. */
const ours = ({ stacks }: Needs, tags: readonly { readonly Key?: string; readonly Value?: string }[] = []) =>
  tags.some(({ Key, Value }) => Key === 'aws:cloudformation:stack-name' && stacks.includes(Value!));

const addresses = (needs: Needs) =>
  looking('addresses', 'servicequotas:GetServiceQuota and ec2:DescribeAddresses', async () => {
    if (needs.addresses === 0) return [];
    const { Addresses = [] } = await new EC2Client({}).send(new DescribeAddressesCommand({}));
    const others = Addresses.filter(({ Tags }) => !ours(needs, Tags)).length;
    return [room('addresses', 'Elastic IP addresses', others, needs.addresses, await quota('ec2', 'L-0263D0A3'), ['EC2-VPC Elastic IPs', 'ec2', 'L-0263D0A3'])];
  });

const networks = (needs: Needs) =>
  looking('networks', 'servicequotas:GetServiceQuota and ec2:DescribeVpcs', async () => {
    if (needs.networks === 0) return [];
    const { Vpcs = [] } = await new EC2Client({}).send(new DescribeVpcsCommand({}));
    const others = Vpcs.filter(({ Tags }) => !ours(needs, Tags)).length;
    return [room('networks', 'VPCs', others, needs.networks, await quota('vpc', 'L-F678F1CE'), ['VPCs per Region', 'vpc', 'L-F678F1CE'])];
  });

/** `Fn::GetAZs` gives zones with a default subnet alone, where there is any, and else all of the region (AWS CloudFormation user guide, "Fn::GetAZs"). */
const subnets = ({ zonesByOrder }: Needs) =>
  looking('default-subnets', 'ec2:DescribeSubnets', async () => {
    if (zonesByOrder === 0) return [];
    const { Subnets = [] } = await new EC2Client({}).send(new DescribeSubnetsCommand({ Filters: [{ Name: 'default-for-az', Values: ['true'] }] }));
    const zones = new Set(Subnets.map(({ AvailabilityZone }) => AvailabilityZone)).size;
    if (zones === 0) return [ok('default-subnets', 'no zone has one, so that CloudFormation takes all zones of the region')];
    if (zones >= zonesByOrder) return [ok('default-subnets', `in ${zones} zones; the network takes ${zonesByOrder}`)];
    return [
      problem(
        'default-subnets',
        `in ${zones} zone, and CloudFormation knows no zone without one; the network takes ${zonesByOrder}`,
        'Make one in another zone: aws ec2 create-default-subnet --availability-zone ZONE. Deleting all of them does as well, where nobody needs them.',
      ),
    ];
  });

const rules = ({ securityGroupRules }: Needs) =>
  looking('security-group', 'servicequotas:GetServiceQuota, and ec2:DescribeManagedPrefixLists where networks come from prefix lists', async () => {
    const named = [...new Set(securityGroupRules.flatMap(({ prefixLists }) => prefixLists))].filter((id) => id.startsWith('pl-'));
    const lists = named.length === 0 ? [] : await sizes(named);
    const missing = named.filter((id) => !lists.some((list) => list.id === id));
    const most = Math.max(0, ...securityGroupRules.flatMap((group) => [takes(group, 'IPv4', lists), takes(group, 'IPv6', lists)]));
    const entries = lists.map(({ id, size }) => `${id} as ${size}`).join(', ');
    return [
      ...missing.map((id) =>
        problem(
          'security-group',
          `there is no prefix list ${id} in this region, or it is not shared with this account`,
          'Name a list of this region in clientPrefixLists.',
        ),
      ),
      room(
        'security-group',
        `rules of a security group in one direction${entries === '' ? '' : `, each rule of a prefix list counted with the most entries that it may have (${entries})`}`,
        0,
        most,
        await quota('vpc', 'L-0EA8095F'),
        ['Inbound or outbound rules per security group', 'vpc', 'L-0EA8095F'],
      ),
    ];
  });

interface PrefixListSize {
  readonly id: string;
  readonly family: string;
  /** The most entries that it may have: they count, and not those that it has (Amazon VPC user guide, "Amazon VPC quotas"). Lists of AWS's own say none. */
  readonly size: number;
}

async function sizes(ids: readonly string[]): Promise<readonly PrefixListSize[]> {
  const found = await new EC2Client({}).send(new DescribeManagedPrefixListsCommand({ Filters: [{ Name: 'prefix-list-id', Values: [...ids] }] }));
  return (found.PrefixLists ?? []).map((list) => ({ id: list.PrefixListId!, family: list.AddressFamily!, size: list.MaxEntries ?? 1 }));
}

/** The quota is for each kind of address on its own. A list that is made with the stack counts as one, because it has no size yet. */
function takes({ ipv4, ipv6, groups, prefixLists }: GroupRules, family: 'IPv4' | 'IPv6', lists: readonly PrefixListSize[]): number {
  const networks = family === 'IPv4' ? ipv4 : ipv6;
  const entries = prefixLists.map((id) => lists.find((list) => list.id === id) ?? { family, size: 1 });
  return networks + groups + entries.reduce((sum, list) => sum + (list.family === family ? list.size : 0), 0);
}

const listeners = (needs: Needs) =>
  looking('listeners', 'servicequotas:GetServiceQuota', async () => {
    if (needs.listeners === 0) return [];
    const most = await quota('elasticloadbalancing', 'L-57A373D6');
    if (needs.listeners <= most) return [ok('listeners', `${needs.listeners} listeners of a load balancer; ${most} are allowed`)];
    // Elastic Load Balancing user guide, "Quotas for your Network Load Balancers": not adjustable.
    return [
      problem(
        'listeners',
        `${needs.listeners} listeners of a load balancer: more than the ${most} that are allowed`,
        'This quota cannot be raised: take a smaller server.passivePorts, or EndpointKind.ELASTIC_ADDRESSES.',
      ),
    ];
  });

/** Families that "Running On-Demand Standard instances" counts. */
const STANDARD = /^[acdhimrtz]\d/;

const machines = (needs: Needs) =>
  looking('instances', 'servicequotas:GetServiceQuota, ec2:DescribeInstances, ec2:DescribeInstanceTypes and ec2:DescribeInstanceTypeOfferings', async () => {
    const types = [needs.instanceType, needs.buildInstanceType].filter((type) => type !== undefined);
    if (types.length === 0) return [];
    const ec2 = new EC2Client({});
    const { InstanceTypeOfferings = [] } = await ec2.send(
      new DescribeInstanceTypeOfferingsCommand({ LocationType: 'availability-zone', Filters: [{ Name: 'instance-type', Values: types }] }),
    );
    const missing = types.filter((type) => !InstanceTypeOfferings.some(({ InstanceType }) => InstanceType === type));
    if (missing.length > 0)
      return [problem('instances', `${missing.join(', ')} can't be had in this region`, 'Choose another instanceType (of the arm64 kind), or another region.')];
    const { InstanceTypes = [] } = await ec2.send(new DescribeInstanceTypesCommand({ InstanceTypes: types as never[] }));
    const cpus = (type: string | undefined) => InstanceTypes.find(({ InstanceType }) => InstanceType === type)?.VCpuInfo?.DefaultVCpus ?? 0;
    let running = 0;
    for await (const { Reservations = [] } of paginateDescribeInstances(
      { client: ec2 },
      { Filters: [{ Name: 'instance-state-name', Values: ['pending', 'running'] }] },
    ))
      for (const { InstanceType = '', CpuOptions = {}, Tags } of Reservations.flatMap(({ Instances = [] }) => Instances))
        if (STANDARD.test(InstanceType) && !ours(needs, Tags)) running += (CpuOptions.CoreCount ?? 1) * (CpuOptions.ThreadsPerCore ?? 1);
    // A refresh starts a new instance before an old one goes; an image build has a machine of its own.
    const needed = (needs.instances + 1) * cpus(needs.instanceType) + cpus(needs.buildInstanceType);
    const zones = new Set(InstanceTypeOfferings.filter(({ InstanceType }) => InstanceType === needs.instanceType).map(({ Location }) => Location));
    return [
      room('instances', 'vCPUs of standard instances', running, needed, await quota('ec2', 'L-1216C47A'), [
        'Running On-Demand Standard instances',
        'ec2',
        'L-1216C47A',
      ]),
      ...(zones.size < 2
        ? [
            warning(
              'zones',
              `${needs.instanceType} is offered in ${zones.size} zone of this region`,
              'Instances in the other zone fail to start: choose another instanceType.',
            ),
          ]
        : [ok('zones', `${needs.instanceType} is offered in ${zones.size} zones`)]),
    ];
  });

function room(check: string, what: string, used: number, needed: number, most: number, [name, service, code]: readonly [string, string, string]): Finding {
  const beside = used > 0 ? `, beside ${used} that are there` : '';
  if (used + needed <= most) return ok(check, `${needed} ${what}${beside}; ${most} are allowed`);
  return problem(check, `${needed} ${what}${beside}: more than the ${most} that are allowed`, increase(name, service, code, used + needed));
}
