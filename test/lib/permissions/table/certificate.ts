/** The certificate, from its source into its secret; and the authorities of clients. */
import { ACCOUNT, type Deployment, REGION } from '../deployment';
import { roleOf } from '../evaluate';
import { arn, instance, SOMEBODYS_KEY, type Step, type Table, via } from './step';

const document = (deployment: Deployment) => deployment.all('AWS::SSM::Document').find(({ path }) => path.includes('Rotated/Reload'))!.ref;

function rotation(deployment: Deployment, may: Step['may'], not: NonNullable<Step['not']>): Step[] {
  const who = roleOf(deployment, /Rotated\/RotationRole/);
  const secret = deployment.all('AWS::SecretsManager::Secret').find(({ path }) => path.includes('Rotated'))!.arn;
  const key = deployment.oneKey ?? deployment.all('AWS::KMS::Key').find(({ path }) => path.includes('Rotated/Key'))!.arn;
  const tag = deployment.of('AWS::Lambda::Function', 'Rotated/Rotation').properties.Environment.Variables.RELOAD_TAG.split('=') as [string, string];
  const tagged = (value: string) => ({ [`ssm:resourceTag/${tag[0]}`]: value });
  return [
    {
      step: 'The certificate is taken from its source, kept, and the instances are told',
      who,
      page: 'AWS Certificate Manager user guide, "Export an ACM certificate"; AWS Secrets Manager user guide, "Secret encryption and decryption in AWS Secrets Manager"; Systems Manager user guide, "Using tags to restrict Run Command" (lib/certificate/rotation)',
      may: [
        ...may,
        ['secretsmanager:GetSecretValue secretsmanager:PutSecretValue secretsmanager:DescribeSecret secretsmanager:UpdateSecretVersionStage', secret],
        ['kms:GenerateDataKey kms:Decrypt', key, via('secretsmanager')],
        ['ssm:SendCommand', arn('ssm', `document/${document(deployment)}`)],
        ['ssm:SendCommand', instance, tagged(tag[1])],
      ],
      not: [
        ...not,
        ['secretsmanager:PutSecretValue', arn('secretsmanager', 'secret:another-a1B2c3')],
        ['secretsmanager:DeleteSecret', secret],
        ['kms:Decrypt', SOMEBODYS_KEY, via('secretsmanager')],
        ['kms:Decrypt kms:GenerateDataKey', key, via('s3')],
        ['ssm:SendCommand', arn('ssm', 'document/AWS-RunShellScript')],
        ['ssm:SendCommand', instance, tagged('another')],
      ],
    },
    {
      step: 'Nobody else writes the certificate, even one who may do anything',
      who: {
        ...who,
        name: 'administrator',
        id: arn('iam', 'role/administrator', { region: '' }),
        policies: everything,
        context: { 'aws:PrincipalArn': arn('iam', 'role/administrator', { region: '' }) },
      },
      page: 'AWS Secrets Manager user guide, "Resource-based policies" (CertificateRotation.limitAccess)',
      may: [['secretsmanager:DescribeSecret', secret]],
      not: [['secretsmanager:PutSecretValue secretsmanager:UpdateSecret secretsmanager:UpdateSecretVersionStage secretsmanager:GetSecretValue', secret]],
    },
    {
      step: 'CloudFormation changes the tags, description and key of the secret, and neither reads nor rotates the certificate',
      who: { ...who, name: 'deployment role', id: DEPLOYMENT_ROLE, policies: everything, context: { 'aws:PrincipalArn': DEPLOYMENT_ROLE } },
      page: 'Registry schema of AWS::SecretsManager::Secret, permissions of its handlers (CertificateRotation.limitAccess)',
      may: [['secretsmanager:UpdateSecret secretsmanager:TagResource secretsmanager:UntagResource secretsmanager:DescribeSecret', secret]],
      not: [['secretsmanager:PutSecretValue secretsmanager:UpdateSecretVersionStage secretsmanager:GetSecretValue', secret]],
    },
  ];
}

/** The role as which CloudFormation works for the AWS CDK. */
const DEPLOYMENT_ROLE = arn('iam', `role/cdk-hnb659fds-cfn-exec-role-${ACCOUNT}-${REGION}`, { region: '' });

const everything = [{ name: 'all', policy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] } as const }];

export const certificateOfAcm: Table = (deployment) => {
  const certificate = deployment.all('AWS::CertificateManager::Certificate')[0]!.arn;
  return rotation(
    deployment,
    [['acm:ExportCertificate acm:DescribeCertificate', certificate]],
    [
      ['acm:ExportCertificate', arn('acm', 'certificate/another')],
      ['acm:DeleteCertificate', certificate],
    ],
  );
};

export const certificateOfPrivateAuthority: Table = (deployment) => {
  const authority = deployment.all('AWS::ACMPCA::CertificateAuthority')[0]!.arn;
  return rotation(
    deployment,
    [['acm-pca:DescribeCertificateAuthority acm-pca:IssueCertificate acm-pca:GetCertificate', authority]],
    [
      ['acm-pca:IssueCertificate', arn('acm-pca', 'certificate-authority/another')],
      ['acm-pca:DeleteCertificateAuthority acm-pca:CreatePermission', authority],
    ],
  );
};

export const clientTrust: Table = (deployment) => {
  const who = roleOf(deployment, 'Trust/Refresh/Role');
  const fleet = roleOf(deployment, 'Fleet/Role');
  const { SOURCE_BUCKET, SOURCE_KEY, BUCKET } = deployment.of('AWS::Lambda::Function', 'Trust/Refresh/Function').properties.Environment.Variables;
  const key = deployment.key('Trust/Key');
  const [authorities, lists] = ['client-ca.pem', 'client-crl.pem'].map((name) => `arn:aws:s3:::${BUCKET}/${name}`) as [string, string];
  return [
    {
      step: 'Authorities of clients and their revocation lists are put where instances read them',
      who,
      page: 'Amazon S3 user guide, "Required permissions for Amazon S3 API operations" (lib/certificate/client-trust)',
      may: [
        ['s3:GetObject', `arn:aws:s3:::${SOURCE_BUCKET}/${SOURCE_KEY}`],
        ['s3:GetObject s3:PutObject', [authorities, lists]],
        ['s3:ListBucket', `arn:aws:s3:::${BUCKET}`],
        ['kms:Decrypt kms:GenerateDataKey', key, via('s3')],
      ],
      not: [
        ['s3:GetObject', `arn:aws:s3:::${SOURCE_BUCKET}/another.zip`],
        ['s3:PutObject', `arn:aws:s3:::${BUCKET}/another.pem`],
        ['s3:DeleteObject', authorities],
      ],
    },
    {
      step: 'Instances read them and change nothing',
      who: fleet,
      page: 'Amazon S3 user guide, "Required permissions for Amazon S3 API operations" (server/secrets/object.ts)',
      may: [
        ['s3:GetObject', [authorities, lists]],
        ['kms:Decrypt', key, via('s3')],
      ],
      not: [['s3:PutObject s3:DeleteObject', [authorities, lists]]],
    },
  ];
};
