/** The two places of files in S3, and who may do what in them: the files that accounts see, and the quarantine. */
import { type Grant, type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { acknowledge, inFinding } from '../compliance/acknowledge';
import { useThrough } from '../encryption/use-through';
import { granted } from '../grants';

/** What every key in the quarantine begins with. */
export const QUARANTINE_PREFIX = 'uploads/';

/** Why a statement names all objects of a bucket. */
export const ANY_OBJECT = 'Files of partners have names that nobody knows before; the statement is limited to this one bucket.';

export class S3Places {
  /** `prefix`: what keys of files begin with. `key` encrypts the quarantine, and the files where their bucket is the kit's. */
  constructor(
    readonly files: IBucket,
    readonly prefix: string,
    readonly quarantine: IBucket,
    readonly key: IKey,
  ) {}

  grantFiles(grantee: IGrantable, ...actions: string[]): Grant {
    return grantObjects(grantee, this.files, this.prefix, this.files.encryptionKey, actions);
  }

  grantQuarantine(grantee: IGrantable, ...actions: string[]): Grant {
    return grantObjects(grantee, this.quarantine, '', this.key, actions);
  }

  /** Of the buckets themselves. */
  grantBuckets(grantee: IGrantable, ...actions: string[]): Grant {
    return granted(grantee, new PolicyStatement({ actions, resources: [this.files.bucketArn, this.quarantine.bucketArn] }));
  }
}

function grantObjects(grantee: IGrantable, bucket: IBucket, below: string, key: IKey | undefined, actions: string[]): Grant {
  const principal = grantee.grantPrincipal;
  if (Construct.isConstruct(principal)) acknowledge(principal, `AwsSolutions-IAM5[Resource::${inFinding(principal, bucket.bucketArn)}/${below}*]`, ANY_OBJECT);
  const objects = new PolicyStatement({ actions, resources: [bucket.arnForObjects(`${below}*`)] });
  return key ? granted(grantee, objects, useThrough('s3', key, 'Decrypt', 'GenerateDataKey')) : granted(grantee, objects);
}
