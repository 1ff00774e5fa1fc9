/** Every statement of a policy that allows something with a wildcard, and the reason for it. */
import { CfnResource, Stack, Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';
import { flat } from '../../lib/compliance/acknowledge';

export interface Wildcard {
  readonly actions: readonly string[];
  readonly resources: readonly string[];
  /** Construct of the policy, as path below its app. */
  readonly path: string;
  /** Undefined where nobody gave one. */
  readonly reason: string | undefined;
}

interface Statement {
  readonly Effect: string;
  readonly Action?: unknown;
  readonly Resource?: unknown;
}

export function wildcardsIn(root: IConstruct): Wildcard[] {
  return root.node
    .findAll()
    .flatMap((construct) => (construct instanceof CfnResource ? statementsOf(construct).flatMap((one) => wildcard(construct, one)) : []));
}

/** The statements of every policy document among the properties of a resource, whatever the property is called. */
function statementsOf(resource: CfnResource): Statement[] {
  const { Properties } = Object.values(Stack.of(resource).resolve(resource._toCloudFormation()).Resources as Record<string, { Properties?: unknown }>)[0]!;
  const found: Statement[] = [];
  const look = (value: unknown) => {
    if (typeof value !== 'object' || value === null) return;
    if ('Statement' in value && Array.isArray(value.Statement)) found.push(...(value.Statement as Statement[]));
    else for (const one of Object.values(value)) look(one);
  };
  look(Properties);
  return found;
}

function wildcard(resource: CfnResource, { Effect, Action, Resource }: Statement): Wildcard[] {
  const texts = (value: unknown) => (value === undefined ? [] : [value].flat().map(flat));
  const [actions, resources] = [texts(Action), texts(Resource)];
  if (Effect !== 'Allow' || ![...actions, ...resources].some((text) => text.includes('*'))) return [];
  return [{ actions, resources, path: resource.node.path, reason: reasonFor(resource, actions, resources) }];
}

/** The reasons that are accepted for cdk-nag's finding about wildcards; cdk-nag itself does not look at the policies of resources. */
function reasonFor(resource: CfnResource, actions: readonly string[], resources: readonly string[]): string | undefined {
  const ofResource = RESOURCE_POLICIES[resource.cfnResourceType];
  if (ofResource) return ofResource;
  const accepted = acceptedFor(resource);
  const findings = [...actions.map((one) => `Action::${one}`), ...resources.map((one) => `Resource::${one}`)].filter((one) => one.includes('*'));
  const reasons = findings.map((finding) => accepted.get(`AwsSolutions-IAM5[${finding}]`) ?? accepted.get('AwsSolutions-IAM5'));
  return reasons.includes(undefined) ? undefined : [...new Set(reasons)].join(' ');
}

/** Policies that say who may do something with the very resource that they belong to. */
const RESOURCE_POLICIES: Readonly<Record<string, string>> = {
  'AWS::KMS::Key':
    'In the policy of a key * means this key. The account may do everything with it, so that its policies decide (KMS developer guide, "Default key policy"); services only what is named.',
  'AWS::S3::BucketPolicy': 'In the policy of a bucket it stands for objects of this bucket, whose names are not known beforehand; who may do so is named.',
};

/** What is accepted on a construct or on one that it lies in. */
function acceptedFor(construct: IConstruct): Map<string, string> {
  const entries = construct.node.scopes.flatMap(({ node }) =>
    node.metadata.flatMap(({ type, data }) => (type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY ? Object.entries(data as Record<string, string>) : [])),
  );
  return new Map(entries.map(([id, reason]) => [id.replace(/^annotation::/i, ''), reason]));
}
