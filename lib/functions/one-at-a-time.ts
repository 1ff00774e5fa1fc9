/** Lambdas of which two runs at once would undo each other's work. */
import type { Construct, IConstruct } from 'constructs';
import { acknowledgeRegulations } from '../compliance/acknowledge';

/** Key of CDK's context, for apps that use constructs without `FtpsStage`: `"cdk-ftps:reserveConcurrency": false` in cdk.json. */
export const RESERVE_CONCURRENCY = 'cdk-ftps:reserveConcurrency';

/**
 * One run at a time, out of the concurrency of the account; undefined where the context says that nothing is reserved. Lambda keeps 100 of the
 * account's runs unreserved and refuses every reservation in an account that has no more (Lambda developer guide, "Configuring reserved concurrency").
 */
export function oneAtATime(scope: Construct): number | undefined {
  const given: unknown = scope.node.tryGetContext(RESERVE_CONCURRENCY);
  return given === false || given === 'false' ? undefined : 1;
}

/** Accepts the finding on a Lambda that shares the concurrency of the account. */
export function acceptSharedConcurrency(lambda: IConstruct): void {
  acknowledgeRegulations(
    lambda,
    'LambdaConcurrency',
    'Runs at once do no harm here, or are put right by the next; a reservation takes from what the whole account has, and small accounts refuse it.',
  );
}
