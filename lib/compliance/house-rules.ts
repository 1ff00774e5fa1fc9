/** Findings of cdk-nag that are accepted on everything of the kit, because of how AWS CDK or the service is built. */
import type { IConstruct } from 'constructs';
import { acknowledgeRegulations } from './acknowledge';

const accepted = {
  IAMNoInlinePolicy:
    'AWS CDK writes the permissions of a role as a policy of that role alone. No two roles share one, so none can be changed for another’s sake, and the policy goes with its role.',
  LambdaInsideVPC:
    'The Lambdas call AWS APIs over TLS and nothing in the VPC. Inside it they would need a NAT gateway, which is a way out that the VPC otherwise has not.',
  S3BucketReplicationEnabled:
    'Buckets are versioned, and what must not be lost is locked or backed up. A copy in another region is a decision about where data may lie, and the owner’s.',
} as const;

/** Accepts them below this construct. */
export function acknowledgeHouseRules(scope: IConstruct): void {
  for (const [rule, reason] of Object.entries(accepted)) acknowledgeRegulations(scope, rule, reason);
}
