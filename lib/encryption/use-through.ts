/** Use of a key by a role, through one service alone: a ciphertext of somebody else's, encrypted by the same key, is nothing to it. */
import { Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { KeyService } from './key-policy';

/** A statement for the policy of a role (AWS KMS developer guide, "kms:ViaService"). `actions` without their `kms:`. */
export function useThrough(service: KeyService, key: IKey, ...actions: string[]): PolicyStatement {
  const { region, urlSuffix } = Stack.of(key);
  return new PolicyStatement({
    actions: actions.map((action) => `kms:${action}`),
    resources: [key.keyArn],
    conditions: { StringEquals: { 'kms:ViaService': `${service}.${region}.${urlSuffix}` } },
  });
}
