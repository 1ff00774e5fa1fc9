/** What outlives its stack, and when. */
import { Aspects, CfnDeletionPolicy, CfnResource } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * Whatever is to be kept below this construct is kept once it was deployed. A deployment that fails takes what it has just made away again:
 * nothing was in it, and the next attempt would meet its names (CloudFormation template reference, "DeletionPolicy attribute", RetainExceptOnCreate).
 */
export function keepOnceDeployed(scope: IConstruct): void {
  Aspects.of(scope).add(
    {
      visit(node) {
        if (node instanceof CfnResource && node.cfnOptions.deletionPolicy === CfnDeletionPolicy.RETAIN)
          node.cfnOptions.deletionPolicy = CfnDeletionPolicy.RETAIN_EXCEPT_ON_CREATE;
      },
    },
    { priority: AFTER_OTHERS },
  );
}

/** Aspects that say what is kept come before; those that only look, cdk-nag's for example, after. */
const AFTER_OTHERS = 900;
