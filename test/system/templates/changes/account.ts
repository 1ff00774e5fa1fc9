/**
 * An account as CloudFormation sees it: stacks are deployed over older ones, in the order of their dependencies, and each resource is said to
 * be created, updated, replaced, deleted or kept. What can't be done, and what is lost by it, is a problem.
 *
 * Whether a property replaces its resource is told by AWS's own registry schemas, as `cdk diff` reads them (@aws-cdk/cloudformation-diff).
 */
import { fullDiff, ResourceImpact } from '@aws-cdk/cloudformation-diff';
import type { Resources } from '../../../lib/support';

/** What `cdk deploy` is given, the producing stacks before the consuming ones. */
export interface Deployed {
  readonly name: string;
  readonly template: Resources;
}

export type Fate = 'created' | 'updated' | 'replaced' | 'deleted' | 'kept';

export interface Outcome {
  /** `stack/LogicalId` → what becomes of it; what stays as it is, is left out. */
  readonly fates: ReadonlyMap<string, { readonly fate: Fate; readonly type: string }>;
  readonly problems: readonly string[];
}

/** What a mistake must not lose: files, logs, keys, certificates, and the addresses that partners have on their lists. */
const HOLDS_DATA = /^AWS::(EFS::FileSystem|S3::Bucket|Logs::LogGroup|KMS::Key|SecretsManager::Secret|EC2::EIP|ACMPCA::CertificateAuthority)$/;

/** Changed in place, with an interruption, though the schema says that they may replace (template reference, "AWS::EC2::Subnet"). */
const INTERRUPTS = new Set(['AWS::EC2::Subnet.Ipv6CidrBlock', 'AWS::EC2::Subnet.AssignIpv6AddressOnCreation', 'AWS::EC2::Subnet.Tags']);

export class Account {
  private readonly stacks = new Map<string, Resources>();
  /** Physical names of what was kept when its stack let go of it. */
  private readonly leftOver = new Map<string, string>();

  /** `mayLose`: the environment says that its data may go. */
  constructor(private readonly mayLose = false) {}

  deploy(stacks: readonly Deployed[]): Outcome {
    const fates = new Map<string, { fate: Fate; type: string }>();
    const problems: string[] = [];
    const after = new Map(stacks.map(({ name, template }) => [name, template]));
    for (const { name, template } of stacks) {
      const before = this.stacks.get(name) ?? { Resources: {} };
      const stack = this.update(name, before, template, fates, problems);
      problems.push(...this.references(name, before, template, stack, after));
      this.stacks.set(name, template);
    }
    return { fates, problems };
  }

  /** Stacks go in the order that is the reverse of their making. */
  destroy(stacks: readonly Deployed[]): Outcome {
    const fates = new Map<string, { fate: Fate; type: string }>();
    const problems: string[] = [];
    for (const { name } of [...stacks].reverse()) {
      const before = this.stacks.get(name)!;
      for (const [id, resource] of Object.entries(before['Resources'] as Resources)) this.remove(name, id, resource, fates, problems, 'destroyed');
      this.stacks.delete(name);
    }
    return { fates, problems };
  }

  /** A first deployment that came to its last resource and failed there: CloudFormation deletes what it made, but for `Retain`. */
  fail(stacks: readonly Deployed[]): Outcome {
    const fates = new Map<string, { fate: Fate; type: string }>();
    for (const { name, template } of stacks)
      for (const [id, resource] of Object.entries(template['Resources'] as Resources)) {
        const kept = resource['DeletionPolicy'] === 'Retain';
        fates.set(`${name}/${id}`, { fate: kept ? 'kept' : 'deleted', type: resource['Type'] });
        if (kept) this.keep(id, resource);
      }
    return { fates, problems: [] };
  }

  private update(name: string, before: Resources, after: Resources, fates: Map<string, { fate: Fate; type: string }>, problems: string[]) {
    const [old, fresh] = [before['Resources'] as Resources, after['Resources'] as Resources];
    const replaced = new Set<string>();
    const say = (id: string, fate: Fate, type: string) => fates.set(`${name}/${id}`, { fate, type });
    const removed: string[] = [];
    // What is there while new resources are made: deleting comes last.
    const names = new Map(Object.entries(old).flatMap(([id, resource]) => physicalNames(resource).map((one) => [one, id] as const)));
    const take = (id: string, resource: Resources) => {
      for (const one of physicalNames(resource)) {
        if (names.has(one)) problems.push(`${name}/${id}: stuck, ${one} exists as long as ${names.get(one)} does`);
        if (this.leftOver.has(one)) problems.push(`${name}/${id}: stuck, ${one} was left behind by ${this.leftOver.get(one)}`);
      }
    };
    const create = (id: string) => {
      say(id, 'created', fresh[id].Type);
      take(id, fresh[id]);
    };
    // A first deployment creates everything, which needs no schema to say so.
    if (Object.keys(old).length === 0) for (const id of Object.keys(fresh)) create(id);
    else
      fullDiff(before as never, after as never).resources.forEachDifference((id, change) => {
        const [was, is] = [old[id], fresh[id]];
        switch (change.changeImpact) {
          case ResourceImpact.WILL_CREATE:
            create(id);
            break;
          case ResourceImpact.WILL_DESTROY:
          case ResourceImpact.WILL_ORPHAN:
            removed.push(id);
            break;
          case ResourceImpact.WILL_REPLACE:
          case ResourceImpact.MAY_REPLACE:
            if (change.changeImpact === ResourceImpact.MAY_REPLACE && Object.keys(change.propertyUpdates).every((key) => INTERRUPTS.has(`${is.Type}.${key}`))) {
              say(id, 'updated', is.Type);
              break;
            }
            say(id, 'replaced', is.Type);
            replaced.add(id);
            take(id, is);
            if (HOLDS_DATA.test(was.Type) && !keeps(was, 'UpdateReplacePolicy') && !this.mayLose) problems.push(`${name}/${id}: lost, ${was.Type} is replaced`);
            break;
          default:
            say(id, 'updated', is.Type);
        }
      });
    for (const id of removed) this.remove(name, id, old[id], fates, problems, 'deleted');
    problems.push(...imageOf(name, old, fresh));
    return { replaced, removed: new Set(removed) };
  }

  private remove(name: string, id: string, resource: Resources, fates: Map<string, { fate: Fate; type: string }>, problems: string[], how: string): void {
    const kept = keeps(resource, 'DeletionPolicy');
    const { Type } = resource as { Type: string };
    fates.set(`${name}/${id}`, { fate: kept ? 'kept' : 'deleted', type: Type });
    if (kept) {
      this.keep(id, resource);
      return;
    }
    if (HOLDS_DATA.test(Type) && !this.mayLose) problems.push(`${name}/${id}: lost, ${Type} is ${how}`);
    // A bucket that was in use is not empty, and CloudFormation deletes only empty ones; what is locked, nobody can empty.
    if (Type === 'AWS::S3::Bucket') problems.push(`${name}/${id}: stuck, a bucket with objects can't be deleted`);
  }

  private keep(id: string, resource: Resources): void {
    // A name with the stack's own id in it is never used again.
    for (const one of physicalNames(resource)) if (!one.includes('AWS::StackId')) this.leftOver.set(one, id);
  }

  /** What other stacks take from this one, when they themselves are deployed only later. */
  private references(
    name: string,
    before: Resources,
    template: Resources,
    { replaced, removed }: { replaced: Set<string>; removed: Set<string> },
    after: ReadonlyMap<string, Resources>,
  ): string[] {
    const [old, fresh] = [before['Outputs'] ?? {}, template['Outputs'] ?? {}] as [Resources, Resources];
    const problems: string[] = [];
    for (const [consumer, deployed] of this.stacks) {
      if (consumer === name) continue;
      const text = JSON.stringify(deployed);
      for (const [id, output] of Object.entries(old)) {
        const exported = output.Export?.Name as string | undefined;
        if (exported === undefined || !text.includes(`"Fn::ImportValue":${JSON.stringify(exported)}`)) continue;
        if (JSON.stringify(fresh[id]) !== JSON.stringify(output) || touches(output, replaced) || touches(output, removed))
          problems.push(`${name}/${id}: stuck, ${consumer} imports it until it is deployed itself`);
      }
    }
    for (const [consumer, next] of after) {
      if (consumer === name) continue;
      for (const id of weakly(next, name)) {
        if (!fresh[id]) problems.push(`${consumer}: stuck, ${name} has no output ${id}`);
        // The reference reads the same, so that nothing tells CloudFormation to read the value anew.
        else if (touches(fresh[id], replaced) && JSON.stringify(next) === JSON.stringify(this.stacks.get(consumer)))
          problems.push(`${consumer}: stale, it goes on with the old value of ${name}/${id}`);
      }
    }
    return problems;
  }
}

/**
 * The group names a version of the launch template, which the roll-out has moved on since. When CloudFormation updates either, it goes back to
 * what it knows, so the image must be asked for anew.
 */
function imageOf(name: string, old: Resources, fresh: Resources): string[] {
  const of = (resources: Resources, pattern: RegExp) => JSON.stringify(Object.entries(resources).filter(([, { Type }]) => pattern.test(Type)));
  const launches = /^AWS::(EC2::LaunchTemplate|AutoScaling::AutoScalingGroup)$/;
  const asks = (resources: Resources) =>
    JSON.stringify(Object.entries(resources).filter(([id, { Type }]) => /CustomResource/.test(Type) && /GoodImage/.test(id)));
  if (Object.keys(old).length === 0 || of(old, launches) === of(fresh, launches) || asks(old) !== asks(fresh)) return [];
  return [`${name}: the instances go back to the image of the last deployment, because nobody asks which one is good`];
}

const keeps = (resource: Resources, policy: string) => /^Retain/.test(resource[policy] ?? '');

/** Whether an output tells something of one of these resources. */
const touches = (output: Resources, ids: ReadonlySet<string>) =>
  [...JSON.stringify(output['Value']).matchAll(/"(?:Ref|Fn::GetAtt)":\[?"([A-Za-z0-9]+)"/g)].some(([, id]) => ids.has(id!));

function weakly(template: Resources, producer: string): Set<string> {
  const found = new Set<string>();
  JSON.stringify(template, (_, value) => {
    const reference = value?.['Fn::GetStackOutput'];
    if (reference?.StackName === producer) found.add(reference.OutputName);
    return value;
  });
  return found;
}

/** Names that only one resource of an account and region can have: `AWS::Logs::LogGroup /aws/events/…`. */
function physicalNames({ Type, Properties = {} }: Resources): string[] {
  const [, service, short] = (Type as string).split('::');
  const own = ['Name', `${short}Name`, 'GroupName', ...(NAMED_BY[Type] ?? [])].find((key) => Properties[key] !== undefined);
  if (!service || own === undefined || NOT_UNIQUE.test(Type)) return [];
  const more = Type === 'AWS::Route53::RecordSet' ? [Properties.Type, Properties.SetIdentifier ?? ''] : (SCOPED_BY[Type] ?? []).map((key) => Properties[key]);
  return [[Type, Properties[own], ...more].map((part) => (typeof part === 'string' ? part : JSON.stringify(part))).join(' ')];
}

const NAMED_BY: Readonly<Record<string, string[]>> = {
  'AWS::NetworkFirewall::RuleGroup': ['RuleGroupName'],
  'AWS::NetworkFirewall::FirewallPolicy': ['FirewallPolicyName'],
  'AWS::Athena::PreparedStatement': ['StatementName'],
  'AWS::EC2::Subnet': ['CidrBlock'],
  'AWS::Glue::Database': ['DatabaseInput'],
  'AWS::Glue::Table': ['TableInput'],
};
const SCOPED_BY: Readonly<Record<string, string[]>> = {
  'AWS::EC2::Subnet': ['VpcId'],
  'AWS::Athena::PreparedStatement': ['WorkGroup'],
  'AWS::Glue::Table': ['DatabaseName'],
};
/** Their names tell people something, and several may have the same. An inline policy is named within its role. */
const NOT_UNIQUE = /^AWS::(Athena::NamedQuery|IAM::Policy|EC2::(?!Subnet$).*|CertificateManager::Certificate|Route53::HostedZone|Logs::LogStream)$/;
