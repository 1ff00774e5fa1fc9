/** Assets as roles of the app read them: the server for the image, the authorities of clients, the partners of AS2. */
import { Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { useThrough } from './use-through';

/**
 * Key of CDK's context with the ARN of the key that the bucket of assets is encrypted by, where it is one of yours: that of `cdk bootstrap
 * --bootstrap-kms-key-id`, or of a bucket of a synthesizer. CDK knows it nowhere. The key that the bootstrap makes itself, and S3's own, let in whoever may read.
 */
export const ASSET_KEY = 'cdk-ftps:assetKeyArn';

/** Statements for the policy of a role: this object of the bucket and no other, and decrypting it. */
export function readingOf(asset: Asset): PolicyStatement[] {
  const { s3BucketName: resource, s3ObjectKey: resourceName } = asset;
  const bucket = Stack.of(asset).formatArn({ service: 's3', region: '', account: '', resource });
  const object = `${bucket}/${resourceName}`;
  const read = new PolicyStatement({ actions: ['s3:GetObject'], resources: [object] });
  const arn: unknown = asset.node.tryGetContext(ASSET_KEY);
  if (arn === undefined) return [read];
  if (typeof arn !== 'string' || !/^arn:[\w-]+:kms:[\w-]+:\d{12}:key\/[\w-]+$/.test(arn))
    throw new Error(`${ASSET_KEY}: ${JSON.stringify(arn)} is no ARN of a key; write it in cdk.json as arn:aws:kms:REGION:ACCOUNT:key/ID, no alias`);
  const decrypt = useThrough('s3', Key.fromKeyArn(asset, 'AssetKey', arn), 'Decrypt');
  // What S3 asks with: the object, or the bucket where that has a key of its own (S3 user guide, "Using server-side encryption with AWS KMS keys").
  decrypt.addCondition('StringEquals', { 'kms:EncryptionContext:aws:s3:arn': [object, bucket] });
  return [read, decrypt];
}
