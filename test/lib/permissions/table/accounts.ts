/** Accounts that are said in code: written by a Lambda that touches nothing which it did not make. */
import { roleOf } from '../evaluate';
import { arn, ELSEWHERE, type Table, via } from './step';

export const accountsInCode: Table = (deployment) => {
  const who = roleOf(deployment, 'Accounts/Writer/Lambda/Role');
  const key = deployment.key('Accounts/Key');
  const account = arn('secretsmanager', 'secret:Wide/Accounts/acme-a1B2c3');
  const [made, making] = ['Resource', 'Request'].map((of) => ({ [`aws:${of}Tag/ftps-account-owner`]: 'stack/resource' }));
  const password = arn('secretsmanager', 'secret:acme-password-a1B2c3');
  const changes = ['GetSecretValue', 'PutSecretValue', 'UpdateSecret', 'UpdateSecretVersionStage', 'DeleteSecret', 'RestoreSecret', 'UntagResource']
    .map((action) => `secretsmanager:${action}`)
    .join(' ');
  return [
    {
      step: 'An account that is said in code is written, exchanged and let go of, its password read where it was given',
      who,
      page: 'AWS Secrets Manager user guide, "Secret encryption and decryption in AWS Secrets Manager"; Service Authorization Reference, "AWS Secrets Manager" (lib/identity/account)',
      may: [
        ['secretsmanager:DescribeSecret', account],
        ['secretsmanager:CreateSecret secretsmanager:TagResource', account, making],
        [`${changes} secretsmanager:TagResource`, account, made],
        ['secretsmanager:ListSecrets', '*'],
        ['secretsmanager:GetSecretValue secretsmanager:DescribeSecret', password],
        ['kms:GenerateDataKey kms:Decrypt', key, via('secretsmanager')],
      ],
      not: [
        [changes, account], // made by hand
        ['secretsmanager:CreateSecret secretsmanager:TagResource', account],
        ['secretsmanager:PutResourcePolicy secretsmanager:DeleteResourcePolicy', account, made],
        [changes, arn('secretsmanager', 'secret:Wide/Another/acme-a1B2c3'), made],
        [changes, arn('secretsmanager', 'secret:Wide/Accounts/acme-a1B2c3', { account: ELSEWHERE }), made],
        ['secretsmanager:GetSecretValue', arn('secretsmanager', 'secret:another-password-a1B2c3')],
        ['secretsmanager:PutSecretValue secretsmanager:DeleteSecret', password],
        ['kms:Decrypt', key, via('s3')],
      ],
    },
  ];
};
