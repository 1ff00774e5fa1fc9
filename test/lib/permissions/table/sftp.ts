/** Host keys of SFTP: made once by a Lambda, read by the instances. */
import { roleOf } from '../evaluate';
import { arn, ELSEWHERE, type Table, via } from './step';

export const hostKeys: Table = (deployment) => {
  const secret = deployment.all('AWS::SecretsManager::Secret').find(({ path }) => path.includes('HostKeys'))!.arn;
  const key = deployment.key('HostKeys/Key');
  const other = arn('secretsmanager', 'secret:another-a1B2c3');
  const page = 'AWS Secrets Manager user guide, "Secret encryption and decryption in AWS Secrets Manager" (lib/sftp/host-keys)';
  return [
    {
      step: 'Host keys of SFTP are made, and looked at every day',
      who: roleOf(deployment, 'HostKeys/Lambda/Role'),
      page,
      may: [
        ['secretsmanager:GetSecretValue secretsmanager:PutSecretValue', secret],
        ['kms:GenerateDataKey kms:Decrypt', key, via('secretsmanager')],
      ],
      not: [
        ['secretsmanager:GetSecretValue secretsmanager:PutSecretValue', other],
        ['secretsmanager:DeleteSecret secretsmanager:UpdateSecret secretsmanager:UpdateSecretVersionStage secretsmanager:PutResourcePolicy', secret],
        ['kms:Decrypt', key, via('s3')],
        ['secretsmanager:GetSecretValue', secret.replace(/:\d{12}:/, `:${ELSEWHERE}:`)],
      ],
    },
    {
      step: 'An instance reads the host keys, and nobody else’s',
      who: roleOf(deployment, 'Fleet/Role'),
      page,
      may: [
        ['secretsmanager:GetSecretValue', secret],
        ['kms:Decrypt', key, via('secretsmanager')],
      ],
      not: [
        ['secretsmanager:PutSecretValue secretsmanager:UpdateSecret secretsmanager:DeleteSecret', secret],
        ['secretsmanager:GetSecretValue', other],
        ['kms:Decrypt', key, via('sqs')],
        ['kms:GenerateDataKey', key, via('secretsmanager')],
      ],
    },
  ];
};
