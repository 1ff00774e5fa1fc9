/** What somebody is granted, as AWS CDK's own constructs return it. */
import { Grant, type IGrantable, type PolicyStatement } from 'aws-cdk-lib/aws-iam';

/** Gives these statements to somebody. */
export function granted(grantee: IGrantable, ...statements: PolicyStatement[]): Grant {
  return combined(
    grantee,
    statements.map(({ actions, resources, conditions }) => Grant.addToPrincipal({ grantee, actions, resourceArns: resources, conditions })),
  );
}

/** Several grants as one; of none, one that says that nothing is needed. */
export function combined(grantee: IGrantable, grants: readonly Grant[]): Grant {
  const [first, ...others] = grants;
  return others.reduce((all, one) => all.combine(one), first ?? Grant.drop(grantee, 'Nothing is to be allowed'));
}
