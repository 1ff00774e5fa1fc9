/** Records that Firehose has taken and not delivered yet: by Firehose's own key, or by the one that the stream lies under. */
import type { CfnDeliveryStream, DeliveryStream } from 'aws-cdk-lib/aws-kinesisfirehose';
import { givenKey } from '../encryption/given-key';
import { letRolesUse } from '../encryption/key-policy';

/**
 * Firehose makes itself a grant on behalf of whoever makes the stream (API reference, "DeliveryStreamEncryptionConfigurationInput"). CDK would
 * give a role of no use the key as well, so it is said here.
 */
export function encryptOnItsWay(stream: DeliveryStream): void {
  const key = givenKey(stream);
  if (!key) return;
  letRolesUse(stream, key, 'firehose');
  (stream.node.defaultChild as CfnDeliveryStream).deliveryStreamEncryptionConfigurationInput = { keyType: 'CUSTOMER_MANAGED_CMK', keyArn: key.keyArn };
}
