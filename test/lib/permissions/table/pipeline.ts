/** The pipeline: its source, its builds, its probe. */
import { roleOf } from '../evaluate';
import { arn, SOMEBODYS_KEY, type Table, via } from './step';

const here = { account: '111111111111', region: 'us-east-1' };

export const pipelineActions: Table = (deployment) => {
  const source = roleOf(deployment, /Pipeline\/Source\/.*CodePipelineActionRole\/Resource$/);
  const probe = roleOf(deployment, /Probe staging\/Role\/Resource$/);
  const connection = arn('codeconnections', 'connection/00000000-0000-0000-0000-000000000000', here);
  const bucket = deployment.of('AWS::S3::Bucket', 'ftps-pipeline/Artifacts').arn;
  const key = deployment.of('AWS::KMS::Key', 'ftps-pipeline/ArtifactKey').arn;
  const group = arn('logs', 'log-group:/aws/codebuild/project', here);
  return [
    {
      step: 'The pipeline takes the repository by its connection and keeps it encrypted',
      who: source,
      page: 'AWS CodePipeline user guide, "Service role permissions: CodeConnections"; Developer Tools console user guide, "Permissions and examples for AWS CodeConnections"',
      may: [
        ['codeconnections:UseConnection', connection],
        ['s3:PutObject s3:GetObject', `${bucket}/source.zip`],
        ['kms:GenerateDataKey kms:Decrypt', key, via('s3', here.region)],
      ],
      not: [
        ['codeconnections:UseConnection', arn('codeconnections', 'connection/another', here)],
        ['kms:Decrypt', SOMEBODYS_KEY],
      ],
    },
    {
      step: 'The probe takes the program and its account, and looks at the service from its own network',
      who: probe,
      page: 'AWS CodeBuild user guide, "Use AWS Secrets Manager: secrets-manager in a buildspec" and "Allow CodeBuild access to AWS services required to create a VPC network interface"',
      may: [
        ['secretsmanager:GetSecretValue', arn('secretsmanager', 'secret:probe/staging-a1B2c3', here)],
        ['s3:GetObject', `${bucket}/dist.zip`],
        ['kms:Decrypt', key, via('s3', here.region)],
        [
          'ec2:CreateNetworkInterface',
          ['network-interface/*', 'subnet/subnet-0123456789abcdef0', 'security-group/sg-0123456789abcdef0'].map((one) => arn('ec2', one, here)),
        ],
        ['ec2:DeleteNetworkInterface', arn('ec2', 'network-interface/eni-0123456789abcdef0', here)],
        ['ec2:DescribeNetworkInterfaces ec2:DescribeSubnets ec2:DescribeSecurityGroups ec2:DescribeDhcpOptions ec2:DescribeVpcs', '*'],
      ],
      not: [
        [
          'secretsmanager:GetSecretValue',
          [arn('secretsmanager', 'secret:probe/prod-a1B2c3', here), arn('secretsmanager', 'secret:probe/staging-of-another-a1B2c3', here)],
        ],
        ['s3:PutObject', 'arn:aws:s3:::somebody-elses/dist.zip'],
        ['logs:DeleteLogGroup', group],
      ],
    },
  ];
};
