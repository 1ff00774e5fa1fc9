/** People: who opens a shell, who looks after accounts. */
import { roleOf } from '../evaluate';
import { arn, ELSEWHERE, instance, type Table, via } from './step';

export const operator: Table = (deployment) => {
  const group = deployment.all('AWS::AutoScaling::AutoScalingGroup')[0]!.ref;
  const document = deployment.of('AWS::SSM::Document', 'Sessions/Document').ref;
  const me = { 'aws:userid': 'AROAEXAMPLE:me' };
  const [mine, anothers] = [arn('ssm', 'session/AROAEXAMPLE:me-0123'), arn('ssm', 'session/AROAEXAMPLE:you-0123')];
  return [
    {
      step: 'An operator opens a shell that is logged, and ends it',
      who: roleOf(deployment, 'Operator'),
      page: 'AWS Systems Manager user guide, "Sample IAM policies for Session Manager" and "Enforce a session document permission check for the AWS CLI"',
      may: [
        ['ssm:StartSession', instance, { 'ssm:resourceTag/aws:autoscaling:groupName': group }],
        ['ssm:StartSession', arn('ssm', `document/${document}`)],
        ['ssm:ResumeSession ssm:TerminateSession', mine, me],
        ['ssmmessages:OpenDataChannel', mine, me],
      ],
      not: [
        ['ssm:StartSession', instance, { 'ssm:resourceTag/aws:autoscaling:groupName': 'another' }],
        ['ssm:StartSession', arn('ssm', 'document/AWS-StartPortForwardingSession')],
        ['ssm:TerminateSession ssm:ResumeSession ssmmessages:OpenDataChannel', anothers, me],
        ['ssm:SendCommand', instance, { 'ssm:resourceTag/aws:autoscaling:groupName': group }],
      ],
    },
  ];
};

export const accountKeeper: Table = (deployment) => {
  const who = roleOf(deployment, 'AccountKeeper');
  const key = deployment.key('Accounts/Key');
  const account = arn('secretsmanager', 'secret:Wide/Accounts/partner-a1B2c3');
  return [
    {
      step: 'Accounts come and go: ftps user',
      who,
      page: 'AWS Secrets Manager user guide, "Secret encryption and decryption in AWS Secrets Manager" (server/admin, bin/ftps)',
      may: [
        [
          'secretsmanager:GetSecretValue secretsmanager:DescribeSecret secretsmanager:CreateSecret secretsmanager:PutSecretValue secretsmanager:DeleteSecret secretsmanager:RestoreSecret secretsmanager:UpdateSecret',
          account,
        ],
        ['secretsmanager:ListSecrets', '*'],
        ['kms:GenerateDataKey kms:Decrypt', key, via('secretsmanager')],
      ],
      not: [
        ['secretsmanager:PutSecretValue secretsmanager:CreateSecret', arn('secretsmanager', 'secret:Wide/Another/partner-a1B2c3')],
        ['secretsmanager:GetSecretValue', arn('secretsmanager', 'secret:Wide/Accounts/partner-a1B2c3', { account: ELSEWHERE })],
        ['secretsmanager:PutResourcePolicy', account],
        ['kms:Decrypt', key, via('s3')],
      ],
    },
  ];
};
