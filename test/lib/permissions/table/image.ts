/** Building images, putting them where they are found, and taking old ones away. */
import { type managedPolicy, REGION } from '../deployment';
import { roleOf, serviceLinkedRole } from '../evaluate';
import { arn, ELSEWHERE, type Step, type Table, via } from './step';

const BY_IMAGE_BUILDER = { 'aws:RequestTag/CreatedBy': 'EC2 Image Builder' };

export const image: Table = (deployment) => {
  const builder = serviceLinkedRole('imagebuilder.amazonaws.com', 'AWSServiceRoleForImageBuilder', 'AWSServiceRoleForImageBuilder');
  const machine = roleOf(deployment, 'Image/BuildRole');
  const keeper = roleOf(deployment, 'Image/Retention/Role');
  const key = deployment.key('Image/VolumeKey');
  const logs = deployment.of('AWS::Logs::LogGroup', 'Image/Logs');
  const distribution = deployment.of('AWS::ImageBuilder::DistributionConfiguration', 'Image/Distribution');
  const parameter = arn('ssm', `parameter${distribution.properties.Distributions[0].SsmParameterConfigurations[0].ParameterName}`);
  const assets = 'arn:aws:s3:::cdk-hnb659fds-assets-111122223333-eu-central-1';
  const ofVolume = { ...via('ec2'), 'kms:EncryptionContextKeys': ['aws:ebs:id'] };
  return [
    {
      step: 'Image Builder starts its machine, encrypts the image by the key of the kit and names it in a parameter',
      who: builder,
      page: 'EC2 Image Builder user guide, "Using service-linked roles for Image Builder" and "Prerequisites for SSM output parameters"',
      may: [
        ['ec2:RunInstances', arn('ec2', 'instance/*'), BY_IMAGE_BUILDER],
        ['iam:PassRole', machine.id, { 'iam:PassedToService': 'ec2.amazonaws.com' }],
        ['ssm:PutParameter ssm:GetParameter', parameter],
        ['ec2:DescribeImages', '*'],
        ['kms:CreateGrant', key, { ...via('ec2'), 'kms:GrantIsForAWSResource': 'true' }],
        ['kms:Decrypt kms:ReEncryptFrom kms:ReEncryptTo kms:GenerateDataKeyWithoutPlaintext', key, ofVolume],
        ['kms:DescribeKey', key, via('ec2')],
        ['logs:CreateLogStream logs:PutLogEvents', `${logs.arn.slice(0, -1)}log-stream:build`],
      ],
      not: [
        ['ssm:PutParameter', arn('ssm', 'parameter/cdk-ftps/other')],
        ['kms:CreateGrant', key, { ...via('rds'), 'kms:GrantIsForAWSResource': 'true' }],
        ['kms:CreateGrant', key, { ...via('ec2'), 'kms:GrantIsForAWSResource': 'false' }],
      ],
    },
    {
      step: 'The machine that builds fetches the server and its components, is led by Systems Manager, and says how it goes',
      who: machine,
      page: 'EC2 Image Builder user guide, "Prerequisites" (EC2InstanceProfileForImageBuilder, AmazonSSMManagedInstanceCore)',
      may: [
        ['s3:GetObject', `${assets}/${assetKey(deployment)}`],
        ['imagebuilder:GetComponent', arn('imagebuilder', 'component/ftps/1.0.0/1')],
        ['ssm:UpdateInstanceInformation', '*'],
        ['ssmmessages:OpenDataChannel', '*'],
        ['logs:CreateLogStream logs:PutLogEvents', `${logs.arn.slice(0, -1)}log-stream:build`],
      ],
      not: [
        ['s3:PutObject', `${assets}/${assetKey(deployment)}`],
        ['s3:GetObject', 'arn:aws:s3:::somebody-elses/object.zip'],
        ['secretsmanager:GetSecretValue', arn('secretsmanager', 'secret:ftps-prod-data/Accounts/partner-a1B2c3')],
        ['kms:Decrypt', key],
      ],
    },
    {
      step: 'Image Builder takes old images away',
      who: keeper,
      page: 'EC2 Image Builder user guide, "Image lifecycle management prerequisites"',
      may: [
        ['ec2:DeregisterImage', 'arn:aws:ec2:eu-central-1::image/ami-0123456789abcdef0', { 'aws:ResourceTag/CreatedBy': 'EC2 Image Builder' }],
        ['ec2:DeleteSnapshot', 'arn:aws:ec2:eu-central-1::snapshot/snap-0123456789abcdef0', { 'aws:ResourceTag/CreatedBy': 'EC2 Image Builder' }],
        ['imagebuilder:DeleteImage', arn('imagebuilder', 'image/ftps/1.0.0/1')],
      ],
      not: [
        ['ec2:DeregisterImage', 'arn:aws:ec2:eu-central-1::image/ami-0123456789abcdef0', { 'aws:ResourceTag/CreatedBy': 'somebody' }],
        ['ec2:TerminateInstances', arn('ec2', 'instance/i-0123456789abcdef0')],
      ],
    },
  ];
};

/** The object of the asset bucket that holds the server. */
function assetKey(deployment: Parameters<Table>[0]): string {
  const component = deployment.of('AWS::ImageBuilder::Component', 'Image/ServerFiles');
  return /s3:\/\/[^/]+\/([\w.]+)/.exec(component.properties.Data)![1]!;
}

/** Another account that may start instances from the image. */
export const sharedImage: Table = (deployment) => {
  const key = deployment.key('Image/VolumeKey');
  const starter = (account: string) => ({
    name: `whoever may start instances in ${account}`,
    id: `arn:aws:iam::${account}:role/starter`,
    policies: [{ name: 'all', policy: managedPolicyOfAll }],
    context: { 'aws:PrincipalArn': `arn:aws:iam::${account}:role/starter`, 'aws:PrincipalAccount': account },
  });
  const grant = { 'kms:GrantIsForAWSResource': 'true', 'kms:ViaService': `ec2.${REGION}.amazonaws.com` };
  const page = 'Amazon EC2 user guide, "Share an encrypted AMI" and AWS KMS developer guide, "Allowing users in other accounts to use a KMS key"';
  const steps: Step[] = [
    {
      step: 'An account that the image is shared with starts instances from it',
      who: starter('444455556666'),
      page,
      may: [
        ['kms:Decrypt kms:DescribeKey kms:ReEncryptFrom kms:GenerateDataKeyWithoutPlaintext', key],
        ['kms:CreateGrant', key, grant],
      ],
      not: [
        ['kms:CreateGrant', key, { ...grant, 'kms:GrantIsForAWSResource': 'false' }],
        ['kms:ScheduleKeyDeletion kms:PutKeyPolicy', key],
      ],
    },
    {
      step: 'and no other account does',
      who: starter(ELSEWHERE),
      page,
      may: [],
      not: [
        ['kms:Decrypt', key],
        ['kms:CreateGrant', key, grant],
      ],
    },
  ];
  return steps;
};

const managedPolicyOfAll = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] } as const satisfies ReturnType<
  typeof managedPolicy
>;
