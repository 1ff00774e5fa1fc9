/** Files in S3: written by instances, scanned by GuardDuty, put into place by the release Lambda. */
import type { Deployment } from '../deployment';
import { roleOf, service } from '../evaluate';
import { arn, ELSEWHERE, type Request, SOMEBODYS_KEY, type Step, type Table, via } from './step';

const PERMISSIONS = 'Amazon S3 user guide, "Required permissions for Amazon S3 API operations"';
const MULTIPART = 'Amazon S3 user guide, "Multipart upload API and permissions"';
const TAGS = 'Amazon S3 API reference, "CopyObject" (tags are copied with the object: s3:GetObjectTagging on the source, s3:PutObjectTagging on the copy)';

function buckets(deployment: Deployment, storage: string) {
  const bucket = (name: string) => deployment.of('AWS::S3::Bucket', `${storage}/${name}`).arn;
  return { files: bucket('Files'), held: bucket('Quarantine'), key: deployment.key(`${storage}/Key`) };
}

/** What the server does with its files: server/files/storage/s3. */
function served({ files, held, key }: ReturnType<typeof buckets>, who: Step['who']): Step[] {
  const [file, waiting] = [`${files}/partner/orders.csv`, `${held}/uploads/held/0123`];
  return [
    {
      step: 'An upload, a download, a listing, an upload resumed, what a crash left swept away',
      who,
      page: `${PERMISSIONS} and ${MULTIPART} (server/files/storage/s3/bucket.ts)`,
      may: [
        ['s3:GetObject s3:PutObject s3:DeleteObject s3:AbortMultipartUpload', [file, waiting]],
        ['s3:ListBucket s3:ListBucketMultipartUploads', [files, held]],
        ['kms:Decrypt kms:GenerateDataKey', key, via('s3')],
      ],
      not: [
        ['s3:GetObject s3:PutObject', 'arn:aws:s3:::somebody-elses/orders.csv'],
        ['s3:DeleteObjectVersion s3:GetObjectVersion s3:PutObjectAcl s3:BypassGovernanceRetention', file],
        ['s3:DeleteBucket s3:PutBucketPolicy s3:PutLifecycleConfiguration', [files, held]],
        ['s3:GetObject', file, { 's3:TlsVersion': '1.1' }],
        ['kms:Decrypt', SOMEBODYS_KEY, via('s3')],
      ],
    },
    {
      step: 'A rename, a changed time, a release from the quarantine: copies of objects that have tags',
      who,
      page: TAGS,
      may: [
        ['s3:GetObjectTagging', [file, waiting]],
        ['s3:PutObjectTagging', file],
      ],
      // The tag there is the verdict of GuardDuty.
      not: [['s3:PutObjectTagging s3:DeleteObjectTagging', waiting]],
    },
  ];
}

export const s3: Table = (deployment) => {
  const where = buckets(deployment, 'Files');
  const { files, held, key } = where;
  const release = roleOf(deployment, 'Files/ReleaseRole');
  const scan = roleOf(deployment, 'Files/ScanRole');
  const [file, waiting] = [`${files}/partner/orders.csv`, `${held}/uploads/held/0123`];
  const rule = arn('events', 'rule/DO-NOT-DELETE-AmazonGuardDutyMalwareProtectionS3-01234567');
  const managed = { 'events:ManagedBy': 'malware-protection-plan.guardduty.amazonaws.com' };
  const tagging: Request = ['s3:GetObjectTagging s3:PutObjectTagging s3:GetObjectVersionTagging s3:PutObjectVersionTagging', waiting];
  const bus = arn('events', 'event-bus/default');
  return [
    ...served(where, roleOf(deployment, 'Fleet/Role')),
    {
      step: 'GuardDuty scans what is in quarantine and tags it with its verdict',
      who: scan,
      page: 'Amazon GuardDuty user guide, "Create or update IAM role policy" of Malware Protection for S3',
      may: [
        ['events:PutRule events:DeleteRule events:PutTargets events:RemoveTargets', rule, managed],
        ['events:DescribeRule events:ListTargetsByRule', rule],
        ['s3:PutBucketNotification s3:GetBucketNotification s3:ListBucket', held],
        ['s3:PutObject', `${held}/malware-protection-resource-validation-object`],
        ['s3:GetObject s3:GetObjectVersion', waiting],
        tagging,
        ['kms:GenerateDataKey kms:Decrypt', key, via('s3')],
      ],
      not: [
        ['events:PutRule', arn('events', 'rule/another'), managed],
        ['s3:GetObject s3:PutObjectTagging', file],
        ['s3:PutObject s3:DeleteObject', waiting],
        ['kms:Decrypt', key, via('secretsmanager')],
      ],
    },
    {
      step: 'What was found clean is put into place, with its tags, and announced',
      who: release,
      page: `${TAGS}; ${MULTIPART} (lib/storage/release)`,
      may: [
        ['s3:GetObject s3:PutObject s3:AbortMultipartUpload s3:PutObjectTagging', file],
        ['s3:GetObject s3:GetObjectTagging s3:DeleteObject', waiting],
        ['s3:GetObject s3:PutObject s3:DeleteObject', `${held}/uploads/records/0123.json`],
        ['s3:ListBucket', [files, held]],
        ['kms:Decrypt kms:GenerateDataKey', key, via('s3')],
        ['events:PutEvents', bus],
      ],
      not: [
        ['s3:DeleteObject', file],
        ['s3:PutObjectTagging', waiting],
        ['s3:GetObject', 'arn:aws:s3:::somebody-elses/orders.csv'],
        ['events:PutEvents', arn('events', 'event-bus/another')],
      ],
    },
    {
      step: 'S3 writes its access logs',
      who: service('logging.s3.amazonaws.com'),
      page: 'Amazon S3 user guide, "Enabling Amazon S3 server access logging"',
      may: [['s3:PutObject', `${deployment.of('AWS::S3::Bucket', 'Files/AccessLogs').arn}/files/2026`, { 'aws:SourceArn': files }]],
      not: [['s3:PutObject', `${deployment.of('AWS::S3::Bucket', 'Files/AccessLogs').arn}/files/2026`, { 'aws:SourceArn': 'arn:aws:s3:::another' }]],
    },
  ];
};

/** Files on EFS, of whose uploads somebody asked to hear. */
export const toldByServers: Table = (deployment) => [
  {
    step: 'The servers tell of uploads',
    who: roleOf(deployment, 'Fleet/Role'),
    page: 'Amazon EventBridge user guide, "Using identity-based policies" (server/files/release)',
    may: [['events:PutEvents', arn('events', 'event-bus/default')]],
    not: [
      ['events:PutEvents', [arn('events', 'event-bus/another'), arn('events', 'event-bus/default', { account: ELSEWHERE })]],
      ['events:PutRule events:PutTargets', arn('events', 'rule/one')],
    ],
  },
];

export const s3ScannedByInstances: Table = (deployment) => {
  const where = buckets(deployment, 'Plain');
  const who = roleOf(deployment, 'PlainFleet');
  return [
    ...served(where, who),
    {
      step: 'The server itself announces an upload',
      who,
      page: 'Amazon EventBridge user guide, "Using identity-based policies" (server/files/release)',
      may: [['events:PutEvents', arn('events', 'event-bus/default')]],
      not: [['events:PutEvents', arn('events', 'event-bus/default', { account: ELSEWHERE })]],
    },
  ];
};
