/** Where the audit goes: CloudWatch Logs, Firehose, S3, Security Lake, CloudTrail; and who asks it. */
import type { Deployment } from '../deployment';
import { roleOf, service } from '../evaluate';
import { arn, ELSEWHERE, type Step, type Table, via } from './step';

const FIREHOSE =
  'Amazon Data Firehose developer guide, "Grant Firehose access to an Amazon S3 destination" and "Grant Firehose access to AWS Glue for data format conversion"';
const FLOW_LOGS = 'Amazon VPC user guide, "IAM role for publishing flow logs to CloudWatch Logs"';

function delivered(deployment: Deployment, role: string, bucket: string, more: Step['may'] = []): Step {
  const table = deployment.of('AWS::Glue::Table', 'Logs/Archive/Table');
  const database = table.properties.DatabaseName as string;
  const group = deployment
    .all('AWS::Logs::LogGroup')
    .find(({ path }) => path.endsWith(role === 'Lake/Role' ? 'Logs/LakeErrors/Resource' : 'Logs/Operations/Resource'))!;
  return {
    step: `Firehose writes the audit as Parquet to S3 (${role})`,
    who: roleOf(deployment, role),
    page: FIREHOSE,
    may: [
      ['s3:AbortMultipartUpload s3:GetObject s3:PutObject', `${bucket}/audit/day=2026-11-29/part`],
      ['s3:GetBucketLocation s3:ListBucket s3:ListBucketMultipartUploads', bucket],
      [
        'glue:GetTable glue:GetTableVersion glue:GetTableVersions',
        [arn('glue', 'catalog'), arn('glue', `database/${database}`), arn('glue', `table/${database}/audit`)],
      ],
      ['logs:PutLogEvents', `${group.arn.slice(0, -1)}log-stream:S3Delivery`],
      ...more,
    ],
    not: [
      [
        's3:DeleteObject s3:DeleteObjectVersion s3:PutObjectRetention s3:PutObjectLegalHold s3:BypassGovernanceRetention',
        `${bucket}/audit/day=2026-11-29/part`,
      ],
      ['s3:PutObject', 'arn:aws:s3:::somebody-elses/audit'],
      ['glue:UpdateTable glue:DeleteTable', arn('glue', `table/${database}/audit`)],
    ],
  };
}

export const archive: Table = (deployment) => {
  const bucket = deployment.of('AWS::S3::Bucket', 'Logs/Archive/Bucket').arn;
  const key = deployment.key('Logs/Archive/Key');
  const stream = deployment.of('AWS::KinesisFirehose::DeliveryStream', 'Logs/Archive/Stream').arn;
  return [
    delivered(deployment, 'Logs/Archive/Role', bucket, [['kms:Decrypt kms:GenerateDataKey', key, via('s3')]]),
    {
      step: 'CloudWatch Logs hands the audit to Firehose',
      who: roleOf(deployment, /ToArchive\/CloudWatchLogsCanPutRecords\/Resource$/),
      page: 'Amazon CloudWatch Logs user guide, "Log group-level subscription filters", example 3',
      may: [['firehose:PutRecord firehose:PutRecordBatch', stream]],
      not: [
        ['firehose:PutRecord', arn('firehose', 'deliverystream/another')],
        ['firehose:DeleteDeliveryStream', stream],
      ],
    },
    {
      step: 'Nobody reads the archive without TLS',
      who: { ...roleOf(deployment, 'Logs/Archive/Role'), context: { 'aws:SecureTransport': 'false' } },
      page: 'Amazon S3 user guide, "Security best practices for Amazon S3"',
      may: [],
      not: [['s3:GetObject', `${bucket}/audit/day=2026-11-29/part`]],
    },
  ];
};

export const flowLogs: Table = (deployment) => {
  const group = deployment.all('AWS::Logs::LogGroup').find(({ path }) => /FlowLogs\/Resource$/.test(path))!.arn;
  return [
    {
      step: 'Flow logs are written',
      who: roleOf(deployment, /FlowLogs?\/IAMRole\/Resource$/),
      page: FLOW_LOGS,
      may: [
        ['logs:CreateLogStream logs:PutLogEvents', `${group.slice(0, -1)}log-stream:eni-0123456789abcdef0-all`],
        ['logs:DescribeLogStreams', group],
      ],
      not: [
        ['logs:DeleteLogGroup', group],
        ['logs:PutLogEvents', arn('logs', 'log-group:another:log-stream:one')],
      ],
    },
  ];
};

export const securityLake: Table = (deployment) => [
  delivered(deployment, 'Lake/Role', 'arn:aws:s3:::aws-security-data-lake-eu-central-1-example'),
  {
    step: 'CloudWatch Logs hands the audit to Firehose for Security Lake',
    who: roleOf(deployment, /ToSecurityLake\/CloudWatchLogsCanPutRecords\/Resource$/),
    page: 'Amazon CloudWatch Logs user guide, "Log group-level subscription filters", example 3',
    may: [['firehose:PutRecord firehose:PutRecordBatch', deployment.of('AWS::KinesisFirehose::DeliveryStream', 'Lake/Stream').arn]],
  },
];

export const dataEvents: Table = (deployment) => {
  const trail = { 'aws:SourceArn': arn('cloudtrail', `trail/${deployment.all('AWS::CloudTrail::Trail')[0]!.properties.TrailName}`) };
  const bucket = deployment.of('AWS::S3::Bucket', 'Logs/DataEvents/Bucket').arn;
  const key = deployment.key('Logs/DataEvents/Key');
  const group = deployment.of('AWS::Logs::LogGroup', 'Logs/DataEventsGroup').arn;
  const file = `${bucket}/AWSLogs/111122223333/CloudTrail/one`;
  return [
    {
      step: 'CloudTrail writes who touched the objects',
      who: service('cloudtrail.amazonaws.com'),
      page: 'AWS CloudTrail user guide, "Amazon S3 bucket policy for CloudTrail" and "Configure AWS KMS key policies for CloudTrail"',
      may: [
        ['s3:GetBucketAcl', bucket, trail],
        ['s3:PutObject', file, { ...trail, 's3:x-amz-acl': 'bucket-owner-full-control' }],
        ['kms:GenerateDataKey kms:DescribeKey', key, trail],
      ],
      not: [
        ['kms:GenerateDataKey', key, { 'aws:SourceArn': arn('cloudtrail', 'trail/another') }],
        ['s3:PutObject', `${bucket}/elsewhere/one`, { ...trail, 's3:x-amz-acl': 'bucket-owner-full-control' }],
      ],
    },
    {
      step: 'and puts it into CloudWatch Logs',
      who: roleOf(deployment, 'DataEvents/Trail/LogsRole'),
      page: 'AWS CloudTrail user guide, "Role policy document for CloudTrail to use CloudWatch Logs for monitoring"',
      may: [['logs:CreateLogStream logs:PutLogEvents', `${group.slice(0, -1)}log-stream:one`]],
      not: [['logs:DeleteLogGroup', group]],
    },
  ];
};

export const analyst: Table = (deployment) => {
  const who = roleOf(deployment, 'Analyst');
  const [bucket, results] = ['Bucket', 'Results'].map((name) => deployment.of('AWS::S3::Bucket', `Logs/Archive/${name}`).arn) as [string, string];
  const key = deployment.key('Logs/Archive/Key');
  const table = deployment.of('AWS::Glue::Table', 'Logs/Archive/Table');
  const database = table.properties.DatabaseName as string;
  const workGroup = arn('athena', `workgroup/${deployment.all('AWS::Athena::WorkGroup')[0]!.ref}`);
  return [
    {
      step: 'An auditor asks questions of the archive',
      who,
      page: 'Amazon Athena user guide, "Control access to Amazon S3 from Athena", "Permissions to encrypted data in Amazon S3", "Configure access to databases and tables in the AWS Glue Data Catalog", "Use IAM policies to control workgroup access"',
      may: [
        [
          'athena:StartQueryExecution athena:StopQueryExecution athena:GetQueryExecution athena:GetQueryResults athena:GetWorkGroup athena:ListNamedQueries athena:GetNamedQuery athena:ListPreparedStatements athena:GetPreparedStatement',
          workGroup,
        ],
        ['glue:GetTable glue:GetPartitions', [arn('glue', 'catalog'), arn('glue', `database/${database}`), arn('glue', `table/${database}/audit`)]],
        ['glue:GetDatabase', [arn('glue', 'catalog'), arn('glue', `database/${database}`)]],
        ['s3:GetObject', `${bucket}/audit/day=2026-11-29/part`],
        ['s3:GetBucketLocation s3:ListBucket', [bucket, results]],
        ['s3:GetObject s3:PutObject s3:AbortMultipartUpload s3:ListMultipartUploadParts', `${results}/one.csv`],
        ['s3:ListBucketMultipartUploads', results],
        ['kms:Decrypt kms:GenerateDataKey', key, via('s3')],
      ],
      not: [
        ['s3:PutObject s3:DeleteObject', `${bucket}/audit/day=2026-11-29/part`],
        ['athena:StartQueryExecution', arn('athena', 'workgroup/primary')],
        ['glue:GetTable', arn('glue', 'table/another/audit')],
        ['glue:DeleteTable', arn('glue', `table/${database}/audit`)],
        ['s3:GetObject', `${bucket}/audit/part`, { 'aws:SecureTransport': 'false' }],
      ],
    },
    {
      step: 'Nobody else',
      who: {
        ...who,
        id: `arn:aws:iam::${ELSEWHERE}:role/Analyst`,
        context: { 'aws:PrincipalArn': `arn:aws:iam::${ELSEWHERE}:role/Analyst`, 'aws:PrincipalAccount': ELSEWHERE },
      },
      page: 'Amazon S3 user guide, "Access control in Amazon S3"',
      may: [],
      not: [['s3:GetObject', `${bucket}/audit/part`]],
    },
  ];
};
