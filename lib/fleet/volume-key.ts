/** Keys of the disks that Auto Scaling starts instances with. */

import { type RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AnyPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct } from 'constructs';
import { keyFor } from '../encryption/given-key';
import { letRolesUse, letUse } from '../encryption/key-policy';

/**
 * A key that Auto Scaling of this account may use for volumes: its service-linked role has no permission on keys of customers (Auto Scaling
 * user guide, "Required AWS KMS key policy for use with encrypted volumes"). The role is named in a condition, because a key policy that
 * names a principal which does not exist yet is refused, and AWS makes this role with the first group of an account.
 */
export function volumeKey(scope: Construct, id: string, props: { readonly description: string; readonly removalPolicy?: RemovalPolicy }): IKey {
  const key = keyFor(scope, id, props);
  const { account, partition } = Stack.of(scope);
  const role = `arn:${partition}:iam::${account}:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRoleForAutoScaling`;
  const byAutoScaling = { StringEquals: { 'kms:CallerAccount': account }, ArnEquals: { 'aws:PrincipalArn': role } };
  const allow = (sid: string, actions: string[], conditions: object) =>
    letUse(
      scope,
      key,
      sid,
      new PolicyStatement({
        principals: [new AnyPrincipal()], // limited by the conditions to one role of this account
        actions: actions.map((action) => `kms:${action}`),
        resources: ['*'], // in a key policy this means the key itself
        conditions: { ...byAutoScaling, ...conditions },
      }),
    );
  allow('FtpsVolumes', ['Encrypt', 'Decrypt', 'ReEncryptFrom', 'ReEncryptTo', 'GenerateDataKey', 'GenerateDataKeyWithoutPlaintext', 'DescribeKey'], {});
  allow('FtpsVolumesOfInstances', ['CreateGrant'], { Bool: { 'kms:GrantIsForAWSResource': 'true' } });
  // Image Builder, and whoever starts an instance, has a policy of its own for keys, through EC2.
  letRolesUse(scope, key, 'ec2');
  return key;
}
