/** What aws-cdk-lib writes into every stack with a delivery stream, used or not. */
import { Stack } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/** Leaves out the addresses of Firehose by region, which nothing here lets in; a mapping that is not used is a finding of cfn-lint. */
export function leaveOutFirehoseAddresses(construct: IConstruct): void {
  Stack.of(construct).node.tryRemoveChild('@aws-cdk--aws-kinesisfirehose.CidrBlocks');
}
