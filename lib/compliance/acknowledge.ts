/** Findings of cdk-nag that are accepted, each for one construct and with its reason. */
import { Stack, Validations } from 'aws-cdk-lib';
import { CfnManagedPolicy, CfnPolicy } from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';

/** Accepts one finding on one construct. `id` is the rule, with the finding in brackets where the rule has several. */
export function acknowledge(construct: IConstruct, id: string, reason: string): void {
  // Where account and region are known, ARNs have them in place of the pseudo parameters; names of AWS's own policies do not.
  const known = id.replaceAll(/<AWS::(Partition|Region|AccountId)>/g, (pseudo) => {
    const { partition, region, account } = Stack.of(construct);
    return flat(Stack.of(construct).resolve(pseudo === '<AWS::Region>' ? region : pseudo === '<AWS::AccountId>' ? account : partition));
  });
  for (const one of new Set([id, known])) acknowledgeIfKnown(construct, one, reason);
}

/** Older versions of the CDK refuse a finding that has `::` in its brackets; synthesis goes on there, and cdk-nag would name the finding. */
function acknowledgeIfKnown(construct: IConstruct, id: string, reason: string): void {
  try {
    Validations.of(construct).acknowledge({ id, reason });
  } catch (error) {
    if (!/'::' delimiter is reserved/.test((error as Error).message)) throw error;
  }
}

/** Accepts one finding on one construct, in each of the packs that are for a regulation. */
export function acknowledgeRegulations(construct: IConstruct, rule: string, reason: string): void {
  for (const pack of ['HIPAA.Security', 'NIST.800.53.R5', 'PCI.DSS.321']) acknowledge(construct, `${pack}-${rule}`, reason);
}

/** Accepts every wildcard in the permissions below a construct, for what a library writes there and nobody here can name beforehand. */
export function acknowledgeWildcards(scope: IConstruct, reason: string): void {
  for (const policy of scope.node.findAll()) {
    if (!(policy instanceof CfnPolicy || policy instanceof CfnManagedPolicy)) continue;
    const { Statement = [] } = Stack.of(policy).resolve(policy.policyDocument) as { Statement?: { Action: unknown; Resource: unknown }[] };
    const found = (kind: string, values: unknown) => [values].flat().map((value) => `${kind}::${flat(value)}`);
    const findings = Statement.flatMap(({ Action, Resource }) => [...found('Action', Action), ...found('Resource', Resource)]).filter((one) =>
      one.includes('*'),
    );
    for (const finding of new Set(findings)) acknowledge(policy, `AwsSolutions-IAM5[${finding}]`, reason);
  }
}

/** Why a role has a policy of its own: for findings about inline policies. */
export const OWN_ROLE = 'The policy is for this one role alone and lives and dies with it; a managed policy could be attached to others.';

/** A value with tokens in the words of a finding: `arn:<AWS::Partition>:s3:::<Bucket.Arn>/*`. */
export function inFinding(construct: IConstruct, value: string): string {
  return flat(Stack.of(construct).resolve(value));
}

/** A value of a template in the words of cdk-nag: references in angle brackets. */
export function flat(value: unknown): string {
  if (typeof value === 'string') return value.replaceAll(/\$\{([^}]+)\}/g, '<$1>');
  const [[intrinsic, argument] = []] = Object.entries(value as Record<string, unknown>);
  switch (intrinsic) {
    case 'Ref':
      return `<${String(argument)}>`;
    case 'Fn::GetAtt':
      return `<${(argument as string[]).join('.')}>`;
    case 'Fn::Sub':
      return flat(argument);
    case 'Fn::Join': {
      const [separator, parts] = argument as [string, unknown[]];
      return parts.map(flat).join(separator);
    }
    case 'Fn::ImportValue':
      return flat(argument);
    default:
      return JSON.stringify(value); // as cdk-nag writes whatever else there is
  }
}
