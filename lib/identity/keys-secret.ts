/** A secret whose keys a Lambda of ours makes, and which nothing replaces: host keys of SFTP, keys of AS2. */
import { RemovalPolicy } from 'aws-cdk-lib';
import { type Grant, type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { type CfnSecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { acknowledge } from '../compliance/acknowledge';
import { keyFor } from '../encryption/given-key';
import { letRolesUse } from '../encryption/key-policy';
import { granted } from '../grants';
import { useBySecretsManager } from './secrets-key';

export interface KeysSecretProps {
  /** What is in it, as the description of its key says it. */
  readonly what: string;
  /** The same, and how it comes about, for its own description. */
  readonly description: string;
  /** Why Secrets Manager does not rotate it. */
  readonly whyNotRotated: string;
}

export class KeysSecret {
  public readonly secret: Secret;
  private readonly key: IKey;

  /** Empty: CloudFormation has no value to write, now or later. The secret and its key stay when the stack is deleted. */
  constructor(scope: Construct, { what, description, whyNotRotated }: KeysSecretProps) {
    this.key = keyFor(scope, 'Key', { description: what, removalPolicy: RemovalPolicy.RETAIN });
    letRolesUse(scope, this.key, 'secretsmanager');
    this.secret = new Secret(scope, 'Secret', { description, encryptionKey: this.key, removalPolicy: RemovalPolicy.RETAIN });
    (this.secret.node.defaultChild as CfnSecret).generateSecretString = undefined;
    acknowledge(this.secret, 'AwsSolutions-SMG4', whyNotRotated);
    for (const pack of ['HIPAA.Security', 'NIST.800.53.R5']) acknowledge(this.secret, `${pack}-SecretsManagerRotationEnabled`, whyNotRotated);
  }

  /** Both in the policy of whoever reads, which may lie in another stack. */
  public grantRead(grantee: IGrantable): Grant {
    const read = new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [this.secret.secretArn] });
    return granted(grantee, read, useBySecretsManager(this.key, 'Decrypt'));
  }

  /** What the Lambda that makes them needs. */
  public mayMake(): PolicyStatement[] {
    return [
      new PolicyStatement({ actions: ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue'], resources: [this.secret.secretArn] }),
      useBySecretsManager(this.key, 'Decrypt', 'GenerateDataKey'),
    ];
  }
}
