/** The role of a delivery stream that writes Parquet to S3: what Firehose needs, and nothing of what CDK would add to it. */
import { Stack } from 'aws-cdk-lib';
import type { CfnTable } from 'aws-cdk-lib/aws-glue';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { acknowledge, acknowledgeRegulations, inFinding, OWN_ROLE } from '../compliance/acknowledge';
import { useThrough } from '../encryption/use-through';

export interface FirehoseRoleProps {
  readonly description: string;
  readonly bucket: IBucket;
  /** Encrypts the bucket. */
  readonly key?: IKey;
  /** Says how lines become Parquet. */
  readonly table: CfnTable;
  readonly databaseName: string;
  readonly tableName: string;
  /** Is told what could not be delivered. */
  readonly errorGroups: ILogGroup[];
}

/**
 * Amazon Data Firehose developer guide, "Grant Firehose access to an Amazon S3 destination" and "Grant Firehose access to AWS Glue for data
 * format conversion". Writing alone: what was written it can neither delete nor release from its lock. Give the stream `role.withoutPolicyUpdates()`.
 */
export function firehoseRole(scope: Construct, id: string, props: FirehoseRoleProps): Role {
  const { description, bucket, key, databaseName, tableName, errorGroups } = props;
  const stack = Stack.of(scope);
  const role = new Role(scope, id, { assumedBy: new ServicePrincipal('firehose.amazonaws.com'), description });
  const glue = (resource: string, resourceName?: string) => stack.formatArn({ service: 'glue', resource, resourceName });
  const statements = [
    new PolicyStatement({ actions: ['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject'], resources: [bucket.arnForObjects('*')] }),
    new PolicyStatement({ actions: ['s3:GetBucketLocation', 's3:ListBucket', 's3:ListBucketMultipartUploads'], resources: [bucket.bucketArn] }),
    new PolicyStatement({
      actions: ['glue:GetTable', 'glue:GetTableVersion', 'glue:GetTableVersions'],
      resources: [glue('catalog'), glue('database', databaseName), glue('table', `${databaseName}/${tableName}`)],
    }),
    new PolicyStatement({ actions: ['logs:PutLogEvents'], resources: errorGroups.map(({ logGroupArn }) => logGroupArn) }),
    ...(key ? [useThrough('s3', key, 'Decrypt', 'GenerateDataKey')] : []),
  ];
  for (const statement of statements) role.addToPolicy(statement);
  acknowledgeRegulations(role, 'IAMNoInlinePolicy', OWN_ROLE);
  acknowledge(
    role,
    `AwsSolutions-IAM5[Resource::${inFinding(scope, bucket.bucketArn)}/*]`,
    'Firehose names its objects by the time; the statement is limited to writing into this one bucket.',
  );
  return role;
}
