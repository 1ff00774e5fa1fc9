/** Keys of AS2: made and changed by a Lambda, read by the instances; and the file with the partners. */
import { roleOf } from '../evaluate';
import { arn, type Table, via } from './step';

export const as2: Table = (deployment) => {
  const secret = deployment.all('AWS::SecretsManager::Secret').find(({ path }) => path.includes('As2Keys'))!.arn;
  const key = deployment.key('As2Keys/Key');
  const other = arn('secretsmanager', 'secret:another-a1B2c3');
  const { PARAMETERS } = deployment.of('AWS::Lambda::Function', 'As2Keys/Lambda/Function').properties.Environment.Variables;
  const told = ['current', 'next'].map((name) => arn('ssm', `parameter${PARAMETERS}/${name}`));
  const script = JSON.stringify(deployment.all('AWS::EC2::LaunchTemplate')[0]!.properties.LaunchTemplateData.UserData);
  const [, partners] = /'s3:\/\/([^']+)' \/etc\/ftps\/as2-partners\.json/.exec(script)!;
  const page = 'AWS Secrets Manager user guide, "Secret encryption and decryption in AWS Secrets Manager" (lib/as2/keys)';
  return [
    {
      step: 'Keys of AS2 are made, changed in time, and their certificates told',
      who: roleOf(deployment, 'As2Keys/Lambda/Role'),
      page,
      may: [
        ['secretsmanager:GetSecretValue secretsmanager:PutSecretValue', secret],
        ['kms:GenerateDataKey kms:Decrypt', key, via('secretsmanager')],
        ['ssm:PutParameter ssm:DeleteParameter', told],
      ],
      not: [
        ['secretsmanager:GetSecretValue secretsmanager:PutSecretValue', other],
        ['secretsmanager:DeleteSecret secretsmanager:UpdateSecret secretsmanager:PutResourcePolicy', secret],
        ['kms:Decrypt', key, via('s3')],
        ['ssm:PutParameter', arn('ssm', `parameter${PARAMETERS}/another`)],
        ['ssm:PutParameter', arn('ssm', 'parameter/another')],
      ],
    },
    {
      step: 'An instance reads the keys of AS2 and the file with its partners, and changes neither',
      who: roleOf(deployment, 'Fleet/Role'),
      page,
      may: [
        ['secretsmanager:GetSecretValue', secret],
        ['kms:Decrypt', key, via('secretsmanager')],
        ['s3:GetObject', `arn:aws:s3:::${partners}`],
      ],
      not: [
        ['secretsmanager:PutSecretValue secretsmanager:DeleteSecret', secret],
        ['kms:GenerateDataKey', key, via('secretsmanager')],
        ['s3:PutObject s3:DeleteObject', `arn:aws:s3:::${partners}`],
        ['s3:GetObject', `arn:aws:s3:::${partners!.split('/')[0]}/another.json`],
      ],
    },
  ];
};
