/** What whoever reads or writes a secret needs of its key. */
import { Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';

/** Use of a key through Secrets Manager alone: `Decrypt` to read, `GenerateDataKey` to write as well (Secrets Manager user guide, "Secret encryption and decryption"). */
export function useBySecretsManager(key: IKey, ...actions: ('Decrypt' | 'GenerateDataKey')[]): PolicyStatement {
  const { region, urlSuffix } = Stack.of(key);
  return new PolicyStatement({
    actions: actions.map((action) => `kms:${action}`),
    resources: [key.keyArn],
    conditions: { StringEquals: { 'kms:ViaService': `secretsmanager.${region}.${urlSuffix}` } },
  });
}
