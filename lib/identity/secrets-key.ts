/** What whoever reads or writes a secret needs of its key. */
import type { Grant, IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { letRolesUse } from '../encryption/key-policy';
import { useThrough } from '../encryption/use-through';
import { granted } from '../grants';

/** Use of a key through Secrets Manager alone: `Decrypt` to read, `GenerateDataKey` to write as well (Secrets Manager user guide, "Secret encryption and decryption"). */
export function useBySecretsManager(key: IKey, ...actions: ('Decrypt' | 'GenerateDataKey')[]): PolicyStatement {
  return useThrough('secretsmanager', key, ...actions);
}

/** Reading a secret that is there already, and its key where the secret knows it: what CDK's own grant would say of that key, only the policy of a key of this app could take up. */
export function grantReadOf(secret: ISecret, grantee: IGrantable): Grant {
  const read = secret.grantRead(grantee);
  const { encryptionKey } = secret;
  if (!encryptionKey) return read;
  letRolesUse(secret, encryptionKey, 'secretsmanager');
  return read.combine(granted(grantee, useBySecretsManager(encryptionKey, 'Decrypt')));
}
