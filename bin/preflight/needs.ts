/** What a deployment of an environment needs of its account, read from the templates that would be deployed. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { flat, type Resource } from '../evidence/subject';

export interface Needs {
  readonly environment: string;
  readonly stacks: readonly string[];
  /** Undefined where the templates are for any. */
  readonly account: string | undefined;
  readonly region: string | undefined;
  /** What the CDK's bootstrap must have made: the least version, and the parameter that says it. */
  readonly bootstrap: { readonly version: number; readonly parameter: string } | undefined;
  readonly resources: readonly Resource[];
  readonly addresses: number;
  readonly networks: number;
  /** How many zones are taken by their order in the region, and not by their names. */
  readonly zonesByOrder: number;
  readonly functions: number;
  /** Sum of what Lambdas reserve for themselves. */
  readonly reservedConcurrency: number;
  /** The rules of each security group in each direction. */
  readonly securityGroupRules: readonly GroupRules[];
  /** The most listeners of a load balancer. */
  readonly listeners: number;
  readonly instances: number;
  readonly instanceType: string | undefined;
  readonly buildInstanceType: string | undefined;
  /** Certificates that are asked of ACM: names, and the zone that validates them where it is known. */
  readonly certificates: readonly { readonly names: readonly string[]; readonly zoneId: string | undefined }[];
  /** Host name of the service, and the zone of its records. */
  readonly hostName: string | undefined;
  readonly zoneId: string | undefined;
  readonly scansImages: boolean;
  readonly logGroups: readonly string[];
  readonly logResourcePolicies: number;
  readonly parameters: readonly string[];
  readonly secrets: readonly string[];
  /** What secrets of accounts begin with. */
  readonly accountPrefixes: readonly string[];
  readonly groups: readonly string[];
}

/** What a security group has in one direction. */
export interface GroupRules {
  /** Rules of IPv4 networks, of IPv6 networks, and of other groups, which count as one of each (Amazon VPC user guide, "Amazon VPC quotas"). */
  readonly ipv4: number;
  readonly ipv6: number;
  readonly groups: number;
  /** Ids of prefix lists, one a rule. */
  readonly prefixLists: readonly string[];
}

/** The needs of one environment of a cloud assembly. Throws an Error for a person where there is no such assembly. */
export function needsOf(folder: string, environment: string): Needs {
  const { stacks, account, region, bootstrap } = readStacks(folder, environment);
  const resources = stacks.flatMap(({ template }) => Object.values(template.Resources ?? {}));
  const of = (type: string) => resources.filter(({ Type }) => Type === type);
  const named = (type: string, key: string) => of(type).flatMap(({ Properties }) => (typeof Properties?.[key] === 'string' ? [Properties[key] as string] : []));
  const launch = of('AWS::EC2::LaunchTemplate')[0]?.Properties.LaunchTemplateData;
  const listenersOf = new Map<string, number>();
  for (const { Properties } of of('AWS::ElasticLoadBalancingV2::Listener')) {
    const owner = flat(Properties.LoadBalancerArn);
    listenersOf.set(owner, (listenersOf.get(owner) ?? 0) + 1);
  }
  const distributed = of('AWS::ImageBuilder::DistributionConfiguration').flatMap(({ Properties }) =>
    (Properties.Distributions ?? []).flatMap((one: Resource['Properties']) =>
      (one.SsmParameterConfigurations ?? []).map((each: Resource['Properties']) => each.ParameterName),
    ),
  );
  const outputs = stacks.flatMap(({ template }) => Object.entries(template.Outputs ?? {}));
  const output = (name: string) => outputs.filter(([id]) => id.includes(name)).flatMap(([, { Value }]) => (typeof Value === 'string' ? [Value] : []));
  return {
    environment,
    stacks: stacks.map(({ name }) => name),
    account,
    region,
    bootstrap,
    resources,
    addresses: of('AWS::EC2::EIP').length,
    networks: of('AWS::EC2::VPC').length,
    zonesByOrder: zonesByOrder(resources),
    functions: of('AWS::Lambda::Function').length,
    reservedConcurrency: sum(of('AWS::Lambda::Function').map(({ Properties }) => Number(Properties.ReservedConcurrentExecutions ?? 0))),
    securityGroupRules: stacks.flatMap(({ template }) => groupRules(template.Resources ?? {})),
    listeners: Math.max(0, ...listenersOf.values()),
    instances: sum(of('AWS::AutoScaling::AutoScalingGroup').map(({ Properties }) => Number(Properties.MaxSize))),
    instanceType: launch?.InstanceType,
    buildInstanceType: of('AWS::ImageBuilder::InfrastructureConfiguration')[0]?.Properties.InstanceTypes?.[0],
    certificates: of('AWS::CertificateManager::Certificate').map(({ Properties }) => ({
      names: [...new Set([Properties.DomainName, ...(Properties.SubjectAlternativeNames ?? [])].map(flat))],
      zoneId: (Properties.DomainValidationOptions ?? []).map((one: Resource['Properties']) => one.HostedZoneId).find((id: unknown) => typeof id === 'string'),
    })),
    hostName: output('HostName')[0],
    zoneId: zoneOf(resources),
    scansImages: [...of('AWS::ImageBuilder::Image'), ...of('AWS::ImageBuilder::ImagePipeline')].some(
      ({ Properties }) => Properties.ImageScanningConfiguration?.ImageScanningEnabled === true,
    ),
    logGroups: named('AWS::Logs::LogGroup', 'LogGroupName'),
    logResourcePolicies: of('AWS::Logs::ResourcePolicy').length,
    parameters: [...new Set([...named('AWS::SSM::Parameter', 'Name'), ...distributed.filter((one) => typeof one === 'string')])],
    secrets: named('AWS::SecretsManager::Secret', 'Name'),
    accountPrefixes: output('AccountsPrefix'),
    groups: named('AWS::AutoScaling::AutoScalingGroup', 'AutoScalingGroupName'),
  };
}

/** How many zones `Fn::GetAZs` has to know, as far as one is chosen of them. */
function zonesByOrder(resources: readonly Resource[]): number {
  const chosen = JSON.stringify(resources).matchAll(/"Fn::Select":\["?(\d+)"?,\{"Fn::GetAZs":/g);
  return Math.max(0, ...[...chosen].map(([, index]) => Number(index) + 1));
}

/** The rules of the security groups of one stack, whether they are said by the group or beside it. */
function groupRules(resources: Readonly<Record<string, Resource>>): GroupRules[] {
  const groups = Object.entries(resources).filter(([, { Type }]) => Type === 'AWS::EC2::SecurityGroup');
  return groups.flatMap(([id, { Properties }]) =>
    ['Ingress', 'Egress'].map((direction) => {
      const beside = Object.values(resources).filter(
        (one) => one.Type === `AWS::EC2::SecurityGroup${direction}` && one.Properties.GroupId?.['Fn::GetAtt']?.[0] === id,
      );
      return counted([...(Properties[`SecurityGroup${direction}`] ?? []), ...beside.map((one) => one.Properties)]);
    }),
  );
}

function counted(rules: readonly Resource['Properties'][]): GroupRules {
  const prefixLists = rules.flatMap((rule) => rule.SourcePrefixListId ?? rule.DestinationPrefixListId ?? []);
  const ipv4 = rules.filter(({ CidrIp }) => CidrIp !== undefined).length;
  const ipv6 = rules.filter(({ CidrIpv6 }) => CidrIpv6 !== undefined).length;
  return { ipv4, ipv6, groups: rules.length - ipv4 - ipv6 - prefixLists.length, prefixLists: prefixLists.map(flat) };
}

/** The zone that records are written to: a literal id, wherever the templates have one. */
function zoneOf(resources: readonly Resource[]): string | undefined {
  for (const { Properties } of resources) {
    const found = [
      Properties?.HostedZoneId,
      ...(Properties?.DomainValidationOptions ?? []).map((one: Resource['Properties']) => one.HostedZoneId),
      Properties?.Environment?.Variables?.ZONE_ID,
    ];
    const id = found.find((one): one is string => typeof one === 'string');
    if (id !== undefined) return id;
  }
  return undefined;
}

interface ReadStack {
  readonly name: string;
  readonly template: { readonly Resources?: Readonly<Record<string, Resource>>; readonly Outputs?: Readonly<Record<string, { readonly Value: unknown }>> };
}

interface Artifact {
  readonly type: string;
  readonly environment?: string;
  readonly properties: {
    readonly templateFile: string;
    readonly stackName?: string;
    readonly requiresBootstrapStackVersion?: number;
    readonly bootstrapStackVersionSsmParameter?: string;
  };
}

function readStacks(folder: string, environment: string) {
  const assembly = join(folder, `assembly-${environment}`);
  const read = (file: string) => JSON.parse(readFileSync(join(assembly, file), 'utf8'));
  let artifacts: Record<string, Artifact>;
  try {
    ({ artifacts } = read('manifest.json'));
  } catch {
    const there = namesIn(folder).flatMap((name) => /^assembly-(.+)$/.exec(name)?.[1] ?? []);
    throw new Error(`${assembly} is no synthesized environment; run npx cdk synth${there.length > 0 ? `, or choose one of ${there.join(', ')}` : ''}`);
  }
  const found = Object.entries(artifacts).filter(([, { type }]) => type === 'aws:cloudformation:stack');
  const [, account, region] = /^aws:\/\/([^/]+)\/(.+)$/.exec(found[0]?.[1].environment ?? '') ?? [];
  const known = (value: string | undefined) => (value?.startsWith('unknown-') ? undefined : value);
  const versions = found.flatMap(([, { properties }]) => properties.requiresBootstrapStackVersion ?? []);
  const parameter = found.flatMap(([, { properties }]) => properties.bootstrapStackVersionSsmParameter ?? [])[0];
  return {
    account: known(account),
    region: known(region),
    bootstrap: parameter === undefined ? undefined : { version: Math.max(...versions), parameter },
    stacks: found.map(([id, { properties }]): ReadStack => ({ name: properties.stackName ?? id, template: read(properties.templateFile) })),
  };
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

const sum = (numbers: readonly number[]) => numbers.reduce((total, one) => total + one, 0);
