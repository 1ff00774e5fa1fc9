import { Fn, Stack } from 'aws-cdk-lib';

/**
 * A stack that names its availability zones by their order, so that synthesis asks no account and gives everybody the same templates.
 * @internal
 */
export class StackOfAnyZone extends Stack {
  public override get availabilityZones(): string[] {
    return [0, 1, 2].map((index) => Fn.select(index, Fn.getAzs()));
  }
}
