/** Instances: started by Auto Scaling, serving, drained, replaced by ones of a new image. */
import type { Deployment } from '../deployment';
import { roleOf, serviceLinkedRole } from '../evaluate';
import { arn, ELSEWHERE, instance, type Request, SOMEBODYS_KEY, type Step, type Table, via } from './step';

const group = (deployment: Deployment, name = deployment.all('AWS::AutoScaling::AutoScalingGroup')[0]!.ref) =>
  arn('autoscaling', `autoScalingGroup:01234567-89ab-cdef-0123-456789abcdef:autoScalingGroupName/${name}`);
/** What EC2 checks when an instance is started. */
const STARTED = ['instance/*', 'volume/*', 'network-interface/*', 'security-group/sg-0123456789abcdef0', 'subnet/subnet-0123456789abcdef0'];
const IMAGE = 'arn:aws:ec2:eu-central-1::image/ami-0123456789abcdef0';

export const fleet: Table = (deployment) => {
  const autoScaling = serviceLinkedRole('autoscaling.amazonaws.com', 'AWSServiceRoleForAutoScaling', 'AutoScalingServiceRolePolicy');
  const elsewhere = serviceLinkedRole('autoscaling.amazonaws.com', 'AWSServiceRoleForAutoScaling', 'AutoScalingServiceRolePolicy', ELSEWHERE);
  const other = serviceLinkedRole('spot.amazonaws.com', 'AWSServiceRoleForEC2Spot', 'AutoScalingServiceRolePolicy');
  const keys = ['Fleet/VolumeKey', 'Image/VolumeKey'].map((path) => deployment.key(path));
  const roles = { instances: roleOf(deployment, 'Fleet/Role'), rollout: roleOf(deployment, 'Rollout/Lambda/Role') };
  const template = arn('ec2', `launch-template/${deployment.of('AWS::EC2::LaunchTemplate', 'Fleet/LaunchTemplate').ref}`);
  const told = deployment.of('AWS::Lambda::Function', 'Rollout/Lambda/Function').properties.Environment.Variables;
  const parameter = (name: 'BUILT' | 'GOOD') => arn('ssm', `parameter${told[`${name}_PARAMETER`]}`);
  const [mark, name] = told['IN_SERVICE'].split('=');
  const builtImage = (image: string) => arn('imagebuilder', `image/${image}-0123456789/1.0.0/1`);
  const grant = { 'kms:GrantIsForAWSResource': 'true', ...via('ec2') };
  const page = 'Amazon EC2 Auto Scaling user guide, "Required AWS KMS key policy for use with encrypted volumes"';
  return [
    {
      step: 'Auto Scaling starts instances from the encrypted image, with volumes encrypted by a key of the kit',
      who: autoScaling,
      page,
      may: [
        ['kms:CreateGrant', keys, grant],
        ['kms:Encrypt kms:Decrypt kms:ReEncryptFrom kms:ReEncryptTo kms:GenerateDataKey kms:GenerateDataKeyWithoutPlaintext kms:DescribeKey', keys, via('ec2')],
        ['ec2:RunInstances', STARTED.map((one) => arn('ec2', one))],
        ['iam:PassRole', roles.instances.id, { 'iam:PassedToService': 'ec2.amazonaws.com' }],
      ],
      not: [
        ['kms:CreateGrant', keys, { ...grant, 'kms:GrantIsForAWSResource': 'false' }],
        ['kms:ScheduleKeyDeletion kms:PutKeyPolicy', keys],
      ],
    },
    {
      step: 'and nobody else by that door: the role of the same name elsewhere',
      who: elsewhere,
      page,
      may: [],
      not: [
        ['kms:Decrypt', keys],
        ['kms:CreateGrant', keys, grant],
      ],
    },
    {
      step: 'nor another service-linked role',
      who: other,
      page,
      may: [],
      not: [
        ['kms:Decrypt', keys],
        ['kms:CreateGrant', keys, grant],
      ],
    },
    ...instances(deployment, roles.instances),
    {
      step: 'A new image is rolled out, watched by alarms, and noted when it proved good',
      who: roles.rollout,
      page: 'Amazon EC2 Auto Scaling user guide, "Control Amazon EC2 launch template usage in Auto Scaling groups" and "Use a CloudWatch alarm with instance refresh" (lib/fleet/rollout)',
      may: [
        ['ssm:GetParameter', [parameter('BUILT'), parameter('GOOD')]],
        ['ssm:PutParameter', parameter('GOOD')],
        ['ssm:DeleteParameter', [parameter('BUILT'), parameter('GOOD')]], // when the service is deleted
        ['cloudformation:DescribeStacks', told['STACK']],
        ['ec2:CreateTags ec2:DeleteTags', IMAGE, { 'aws:ResourceTag/Ec2ImageBuilderArn': builtImage(name.toLowerCase()), 'aws:TagKeys': [mark] }],
        ['autoscaling:CancelInstanceRefresh', group(deployment)],
        ['ec2:DescribeImages ec2:DescribeLaunchTemplateVersions autoscaling:DescribeAutoScalingGroups autoscaling:DescribeInstanceRefreshes', '*'],
        ['cloudwatch:DescribeAlarms', arn('cloudwatch', 'alarm:*')],
        ['autoscaling:StartInstanceRefresh', group(deployment)],
        ['ec2:CreateLaunchTemplateVersion', template],
        ['ec2:RunInstances', [...STARTED.map((one) => arn('ec2', one)), IMAGE], { 'ec2:LaunchTemplate': template }],
        ['ec2:CreateTags', [instance, arn('ec2', 'volume/*')], { 'ec2:CreateAction': 'RunInstances' }],
        ['iam:PassRole', roles.instances.id, { 'iam:PassedToService': 'ec2.amazonaws.com' }],
      ],
      not: [
        ['autoscaling:StartInstanceRefresh autoscaling:CancelInstanceRefresh', group(deployment, 'another')],
        ['ec2:CreateTags', IMAGE, { 'aws:ResourceTag/Ec2ImageBuilderArn': builtImage('another'), 'aws:TagKeys': [mark] }],
        ['ec2:CreateTags', IMAGE, { 'aws:ResourceTag/Ec2ImageBuilderArn': builtImage(name.toLowerCase()), 'aws:TagKeys': ['CreatedBy'] }],
        ['ec2:CreateTags', IMAGE, { 'aws:TagKeys': [mark] }],
        ['autoscaling:UpdateAutoScalingGroup autoscaling:DeleteAutoScalingGroup', group(deployment)],
        ['ec2:RunInstances', arn('ec2', 'instance/*'), { 'ec2:LaunchTemplate': arn('ec2', 'launch-template/lt-another') }],
        ['ec2:RunInstances', arn('ec2', 'instance/*')],
        ['ec2:CreateTags', instance],
        ['iam:PassRole', roles.rollout.id, { 'iam:PassedToService': 'ec2.amazonaws.com' }],
        ['iam:PassRole', roles.instances.id, { 'iam:PassedToService': 'lambda.amazonaws.com' }],
        ['ssm:PutParameter', arn('ssm', 'parameter/imagebuilder/other')],
      ],
    },
  ];
};

function instances(deployment: Deployment, who: Step['who']): Step[] {
  const secrets = deployment
    .all('AWS::SecretsManager::Secret')
    .filter(({ path }) => path.includes('Rotated'))
    .map(({ arn: one }) => one);
  const keysAt = (part: string) =>
    deployment.oneKey
      ? [deployment.oneKey]
      : deployment
          .all('AWS::KMS::Key')
          .filter(({ path }) => path.includes(part))
          .map(({ arn: one }) => one);
  const certificateKeys = keysAt('Rotated/Key');
  const accountsKey = deployment.key('Accounts/Key');
  const account = (name: string) => arn('secretsmanager', `secret:${prefix(deployment)}${name}-a1B2c3`);
  const logs = ['Logs/Audit', 'Logs/Operations', 'Sessions/Log'].map((path) => deployment.of('AWS::Logs::LogGroup', path).arn);
  const streams = logs.map((one) => `${one.slice(0, -1)}log-stream:i-0123456789abcdef0`);
  const table = deployment.all('AWS::DynamoDB::Table');
  const tableKey = keysAt('Lockouts/Key');
  return [
    {
      step: 'An instance starts: tells its group that it serves, reads certificate and accounts, sends its logs, is reached by Session Manager',
      who,
      page: 'AWS Secrets Manager user guide, "Secret encryption and decryption"; CloudWatch user guide, "Create IAM roles and users for use with the CloudWatch agent"; Systems Manager user guide, "Create an IAM role with permissions for Session Manager and Amazon S3 and CloudWatch Logs" (server/, lib/fleet/start-script.ts)',
      may: [
        ['autoscaling:CompleteLifecycleAction autoscaling:SetInstanceHealth', group(deployment)],
        [
          'secretsmanager:GetSecretValue',
          [
            ...secrets,
            account('partner'),
            ...(deployment.all('AWS::EC2::VPC').some(({ path }) => path.startsWith('Wide')) ? [arn('secretsmanager', 'secret:directory-a1B2c3')] : []),
          ],
        ],
        ['kms:Decrypt', [...certificateKeys, accountsKey], via('secretsmanager')],
        ['logs:CreateLogStream logs:PutLogEvents', streams],
        ['logs:DescribeLogStreams', logs],
        ['logs:DescribeLogGroups', '*'],
        [
          'ssm:UpdateInstanceInformation ssmmessages:CreateControlChannel ssmmessages:CreateDataChannel ssmmessages:OpenControlChannel ssmmessages:OpenDataChannel',
          '*',
        ],
        // Documents, associations, patches and inventory; commands (Systems Manager user guide, "AmazonSSMManagedInstanceCore").
        ['ssm:GetDocument ssm:DescribeDocument ssm:GetManifest ssm:DescribeAssociation ssm:ListAssociations ssm:ListInstanceAssociations', '*'],
        ['ssm:UpdateAssociationStatus ssm:UpdateInstanceAssociationStatus ssm:GetDeployablePatchSnapshotForInstance ssm:PutInventory', '*'],
        ['ssm:PutComplianceItems ssm:PutConfigurePackageResult', '*'],
        ['ec2messages:AcknowledgeMessage ec2messages:DeleteMessage ec2messages:FailMessage ec2messages:GetEndpoint', '*'],
        ['ec2messages:GetMessages ec2messages:SendReply', '*'],
      ],
      not: [
        ['autoscaling:CompleteLifecycleAction autoscaling:SetInstanceHealth', group(deployment, 'another')],
        [
          'secretsmanager:GetSecretValue',
          [arn('secretsmanager', 'secret:another-a1B2c3'), arn('secretsmanager', `secret:${prefix(deployment)}partner-a1B2c3`, { account: ELSEWHERE })],
        ],
        ['secretsmanager:PutSecretValue secretsmanager:DeleteSecret', [...secrets, account('partner')]],
        ['kms:Decrypt', SOMEBODYS_KEY, via('secretsmanager')],
        ...deployment.apart<Request>(['kms:Decrypt', certificateKeys, via('s3')]),
        ['logs:DeleteLogGroup logs:DeleteLogStream logs:PutRetentionPolicy logs:GetLogEvents', logs],
        ['ec2:AssociateAddress', instance],
        // Other people's parameters hold passwords.
        ['ssm:GetParameter ssm:GetParameters ssm:GetParametersByPath ssm:PutParameter', arn('ssm', 'parameter/another/password')],
        ['ssm:SendCommand ssm:StartSession', instance],
      ],
    },
    ...(table.length === 0
      ? []
      : [
          {
            step: 'Instances share what failed and who is locked out',
            who,
            page: 'Amazon DynamoDB developer guide, "Using IAM policy conditions for fine-grained access control" and "Encryption at rest: how it works" (server/limits/lockout-table.ts)',
            may: [
              ['dynamodb:GetItem dynamodb:PutItem dynamodb:UpdateItem dynamodb:DeleteItem', table[0]!.arn] as const,
              [
                'kms:Encrypt kms:Decrypt kms:ReEncryptFrom kms:ReEncryptTo kms:GenerateDataKey kms:GenerateDataKeyWithoutPlaintext kms:DescribeKey',
                tableKey[0]!,
                via('dynamodb'),
              ] as const,
            ],
            not: [
              ['dynamodb:Scan dynamodb:Query dynamodb:DeleteTable', table[0]!.arn] as const,
              ['dynamodb:PutItem', arn('dynamodb', 'table/another')] as const,
              ...deployment.apart<Request>(['kms:Decrypt', tableKey[0]!, via('s3')]),
            ],
          },
        ]),
  ];
}

/** What the secrets of accounts begin with: as the instances are told. */
function prefix(deployment: Deployment): string {
  const script = JSON.stringify(deployment.of('AWS::EC2::LaunchTemplate', 'Fleet/LaunchTemplate').properties.LaunchTemplateData);
  return /\\*"kind\\*":\\*"secrets\\*",\\*"prefix\\*":\\*"([^"\\]+)/.exec(script)![1]!;
}

export const efs: Table = (deployment) => {
  const who = roleOf(deployment, 'Fleet/Role');
  const files = deployment.all('AWS::EFS::FileSystem')[0]!.arn;
  const mounted = { 'elasticfilesystem:AccessedViaMountTarget': 'true' };
  return [
    {
      step: 'An instance mounts the files and writes as root and as the server',
      who,
      page: 'Amazon EFS user guide, "Using IAM to control access to file systems"',
      may: [['elasticfilesystem:ClientMount elasticfilesystem:ClientWrite elasticfilesystem:ClientRootAccess', files, mounted]],
      not: [
        ['elasticfilesystem:ClientMount', files, { 'elasticfilesystem:AccessedViaMountTarget': 'false' }],
        ['elasticfilesystem:ClientMount', arn('elasticfilesystem', 'file-system/fs-another'), mounted],
        ['elasticfilesystem:DeleteFileSystem', files],
      ],
    },
  ];
};
