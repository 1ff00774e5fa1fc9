/** Roles that AWS makes in the account for its own services, and what of the kit they work with: no policy of the kit lets them in, and none may keep them out. */
import { serviceLinkedRole } from '../evaluate';
import { arn, instance, type Table } from './step';

export const balancerOfAws: Table = (deployment) => {
  const addresses = deployment.all('AWS::EC2::EIP').map(({ ref }) => arn('ec2', `elastic-ip/${ref}.AllocationId`));
  return [
    {
      step: 'Elastic Load Balancing puts the fixed addresses on its interfaces',
      who: serviceLinkedRole('elasticloadbalancing.amazonaws.com', 'AWSServiceRoleForElasticLoadBalancing', 'AWSElasticLoadBalancingServiceRolePolicy'),
      page: 'Elastic Load Balancing user guide, "Service-linked role" (AWSServiceRoleForElasticLoadBalancing)',
      may: [
        ['ec2:AssociateAddress', addresses],
        ['ec2:CreateNetworkInterface', ['network-interface/*', 'subnet/subnet-0123456789abcdef0'].map((one) => arn('ec2', one))],
        ['ec2:DescribeAddresses ec2:DescribeNetworkInterfaces ec2:DescribeSubnets ec2:DescribeSecurityGroups', '*'],
      ],
      not: [
        ['ec2:TerminateInstances', instance],
        ['secretsmanager:GetSecretValue', arn('secretsmanager', 'secret:Wide/Accounts/partner-a1B2c3')],
      ],
    },
  ];
};

export const filesOfAws: Table = (deployment) => {
  const files = deployment.all('AWS::EFS::FileSystem')[0]!.arn;
  const key = deployment.key('Files/Key');
  return [
    {
      step: 'EFS makes mount targets and finds the key of the files',
      who: serviceLinkedRole('elasticfilesystem.amazonaws.com', 'AWSServiceRoleForAmazonElasticFileSystem', 'AmazonElasticFileSystemServiceRolePolicy'),
      page: 'Amazon EFS user guide, "Using service-linked roles for Amazon EFS"',
      may: [
        ['kms:DescribeKey', key],
        [
          'ec2:CreateNetworkInterface',
          ['network-interface/*', 'subnet/subnet-0123456789abcdef0', 'security-group/sg-0123456789abcdef0'].map((one) => arn('ec2', one)),
        ],
        ['backup:CreateBackupVault', arn('backup', 'backup-vault:aws/efs/automatic-backup-vault')],
      ],
      not: [
        ['kms:Decrypt kms:ScheduleKeyDeletion', key],
        ['elasticfilesystem:DeleteFileSystem', files],
      ],
    },
    {
      step: 'AWS Backup backs the files up every day',
      who: serviceLinkedRole('backup.amazonaws.com', 'AWSServiceRoleForBackup', 'AWSBackupServiceLinkedRolePolicyForBackup'),
      page: 'AWS Backup developer guide, "Using roles for backing up and copying", AWSServiceRoleForBackup; Amazon EFS user guide, "Automatic backups" (the tag is set by EFS)',
      may: [
        ['elasticfilesystem:Backup elasticfilesystem:DescribeTags', files, { 'aws:ResourceTag/aws:elasticfilesystem:default-backup': 'enabled' }],
        ['kms:DescribeKey', key],
      ],
      not: [
        ['elasticfilesystem:Backup', files],
        ['elasticfilesystem:Restore elasticfilesystem:DeleteFileSystem', files, { 'aws:ResourceTag/aws:elasticfilesystem:default-backup': 'enabled' }],
        ['kms:Decrypt', key],
      ],
    },
  ];
};
