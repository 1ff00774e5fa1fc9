/** Keys that CloudWatch Logs encrypts with. */
import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Effect, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct, IConstruct } from 'constructs';
import { givenKey, keyFor } from '../encryption/given-key';
import { letUse } from '../encryption/key-policy';

/** A key that CloudWatch Logs of this account may use: the one that the scope was given, or a new one. */
export function logKey(scope: Construct, id: string, description: string): IKey {
  const key = keyFor(scope, id, { description, removalPolicy: RemovalPolicy.RETAIN });
  letLogsUse(scope, key);
  return key;
}

/** The key that the scope was given, for logs that CloudWatch Logs otherwise encrypts by its own. */
export function givenLogKey(scope: Construct): IKey | undefined {
  const key = givenKey(scope);
  if (key) letLogsUse(scope, key);
  return key;
}

/** Lets CloudWatch Logs of this account encrypt by this key (CloudWatch Logs user guide, "Encrypt log data using KMS"). */
export function letLogsUse(scope: IConstruct, key: IKey): void {
  const { region, account, partition } = Stack.of(scope);
  letUse(
    scope,
    key,
    'FtpsLogGroups',
    new PolicyStatement({
      effect: Effect.ALLOW,
      principals: [new ServicePrincipal(`logs.${region}.amazonaws.com`)],
      actions: ['kms:Encrypt*', 'kms:Decrypt*', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:Describe*'],
      resources: ['*'], // in a key policy this means the key itself
      conditions: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': `arn:${partition}:logs:${region}:${account}:log-group:*` } },
    }),
  );
}
