import { Stack } from 'aws-cdk-lib';
import { zonesByOrder } from './network/zones';

/**
 * A stack that names its availability zones by their order, so that synthesis asks no account and gives everybody the same templates.
 * @internal
 */
export class StackOfAnyZone extends Stack {
  public override get availabilityZones(): string[] {
    return zonesByOrder();
  }
}
