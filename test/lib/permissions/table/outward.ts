/** Secrets by which the instances are known to others: those that sign webhooks, and those of clients of OpenID Connect. */
import { CLIENT_SECRET, WEBHOOK_SECRET } from '../deployments';
import { roleOf } from '../evaluate';
import { arn, ELSEWHERE, type Table, via } from './step';

const page = 'AWS Secrets Manager user guide, "Secret encryption and decryption in AWS Secrets Manager"';
const OTHER = arn('secretsmanager', 'secret:another-a1B2c3');
const WRITES = 'secretsmanager:PutSecretValue secretsmanager:UpdateSecret secretsmanager:DeleteSecret';

export const webhooks: Table = (deployment) => {
  const key = deployment.of('AWS::KMS::Key', 'WebhookKey').arn;
  return [
    {
      step: 'An instance signs what it tells a webhook, by a secret with a key of its own',
      who: roleOf(deployment, 'Fleet/Role'),
      page: `${page} (server/files/release/webhook)`,
      may: [
        ['secretsmanager:GetSecretValue', WEBHOOK_SECRET],
        ['kms:Decrypt', key, via('secretsmanager')],
      ],
      not: [
        [WRITES, WEBHOOK_SECRET],
        ['secretsmanager:GetSecretValue', [OTHER, WEBHOOK_SECRET.replace(/:\d{12}:/, `:${ELSEWHERE}:`)]],
        ['kms:Decrypt', key, via('s3')],
        ['kms:GenerateDataKey kms:Encrypt', key, via('secretsmanager')],
      ],
    },
  ];
};

export const signInElsewhere: Table = (deployment) => [
  {
    step: 'An instance asks an issuer who it is that signed in there, as the client that it is registered as',
    who: roleOf(deployment, 'Fleet/Role'),
    page: `${page} (server/identity/issuers/client)`,
    may: [['secretsmanager:GetSecretValue', CLIENT_SECRET]],
    not: [
      [WRITES, CLIENT_SECRET],
      ['secretsmanager:GetSecretValue', OTHER],
    ],
  },
];
