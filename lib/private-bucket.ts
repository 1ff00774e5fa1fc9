/** Buckets as the kit makes them: closed to the public, reached by TLS alone, versioned; and those in which S3 notes who reads and writes others. */
import { BlockPublicAccess, Bucket, BucketEncryption, type BucketProps } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { acknowledge, acknowledgeRegulations } from './compliance/acknowledge';

/** What every bucket has. */
export const PRIVATE = { blockPublicAccess: BlockPublicAccess.BLOCK_ALL, enforceSSL: true, minimumTLSVersion: 1.2, versioned: true } as const;

/** Why no bucket is replicated. */
export const ONE_REGION =
  'S3 keeps every object in at least three zones of the region; where a second region is asked for, replicate this bucket by a rule of yours.';

/** A bucket for access logs of others. `circle`: why its own accesses are not logged. */
export function accessLogsBucket(scope: Construct, id: string, props: BucketProps, circle: string): Bucket {
  const bucket = new Bucket(scope, id, { ...PRIVATE, encryption: BucketEncryption.S3_MANAGED, ...props }); // S3 delivers access logs to no bucket with a KMS key of its own
  acknowledge(bucket, 'AwsSolutions-S1', circle);
  acknowledgeRegulations(bucket, 'S3BucketLoggingEnabled', circle);
  acknowledgeRegulations(bucket, 'S3DefaultEncryptionKMS', 'S3 delivers access logs only to buckets encrypted with keys of S3 itself.');
  return bucket;
}
