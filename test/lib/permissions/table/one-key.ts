/** One key for everything, that another team looks after: used through the services of the kit, and in no other way. */
import { ACCOUNT, REGION } from '../deployment';
import type { Principal } from '../evaluate';
import { arn, ELSEWHERE, type Step, type Table, via } from './step';

const DATA = 'kms:Encrypt kms:Decrypt kms:GenerateDataKey kms:GenerateDataKeyWithoutPlaintext';
const GRANT = { 'kms:GrantIsForAWSResource': 'true' };
const everything = [{ name: 'all', policy: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] } as const }];
const person = (name: string, account = ACCOUNT): Principal => {
  const id = `arn:aws:iam::${account}:role/${name}`;
  return { name, id, policies: everything, context: { 'aws:PrincipalArn': id, 'aws:PrincipalAccount': account, 'aws:PrincipalIsAWSService': 'false' } };
};

export const oneKey: Table = (deployment) => {
  const key = deployment.oneKey!;
  const page = 'AWS KMS developer guide, "kms:ViaService" and "Using IAM policies with AWS KMS"';
  return [
    {
      step: 'CloudFormation makes what is encrypted by it: each service makes its grant, Secrets Manager tries the key',
      who: person(`cdk-hnb659fds-cfn-exec-role-${ACCOUNT}-${REGION}`),
      page: 'EFS user guide, "Using AWS KMS keys for Amazon EFS"; DynamoDB developer guide, "Authorizing use of a customer managed key"; Firehose API reference, "DeliveryStreamEncryptionConfigurationInput"; Secrets Manager user guide, "Secret encryption and decryption"',
      may: [
        ...['elasticfilesystem', 'dynamodb', 'firehose', 'ec2'].flatMap((service) => [
          ['kms:CreateGrant', key, { ...via(service), ...GRANT }] as const,
          ['kms:DescribeKey', key, via(service)] as const,
        ]),
        ['kms:GenerateDataKey kms:Decrypt', key, via('secretsmanager')],
      ],
      not: [
        ...['elasticfilesystem', 'dynamodb', 'firehose', 'ec2'].map(
          (service) => ['kms:CreateGrant', key, { ...via(service), 'kms:GrantIsForAWSResource': 'false' }] as const,
        ),
        ['kms:CreateGrant', key, { ...via('secretsmanager'), ...GRANT }],
      ],
    },
    {
      step: 'An administrator of the account neither uses it past the services nor changes it',
      who: person('administrator'),
      page,
      may: [],
      not: [
        [DATA, key],
        ['kms:Decrypt', key, via('rds')],
        ['kms:Decrypt', key, via('s3', 'us-east-1')],
        ['kms:PutKeyPolicy kms:ScheduleKeyDeletion kms:DisableKey kms:RevokeGrant', key],
      ],
    },
    {
      step: 'Nobody of another account',
      who: person('stranger', ELSEWHERE),
      page,
      may: [],
      not: [
        ['kms:Decrypt kms:GenerateDataKey', key, via('s3')],
        ['kms:CreateGrant', key, { ...via('ec2'), ...GRANT }],
      ],
    },
    ...deployment.all('AWS::IAM::Role').map(
      (role): Step => ({
        step: `${role.path} past the services`,
        who: {
          name: role.path,
          id: role.arn,
          policies: deployment.identityPolicies(role.arn),
          context: { 'aws:PrincipalArn': role.arn, 'aws:PrincipalAccount': ACCOUNT },
        },
        page,
        may: [],
        not: [
          ['kms:Decrypt kms:GenerateDataKey kms:CreateGrant', key],
          ['kms:Decrypt', key, via('rds')],
        ],
      }),
    ),
  ];
};

/** As `Key.fromKeyArn` takes it. */
export const KEY_OF_OTHERS = arn('kms', 'key/1234abcd-12ab-34cd-56ef-1234567890ab');
