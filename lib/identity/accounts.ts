/** Who may log in: accounts in Secrets Manager, one secret each, below a prefix. */
import { ArnFormat, Stack } from 'aws-cdk-lib';
import { Effect, type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct, type IConstruct } from 'constructs';
import { acknowledge, inFinding } from '../compliance/acknowledge';
import { stableName } from '../names';

export interface AccountsProps {
  /**
   * Names of the secrets begin with this; the rest is the name of the user.
   * @default - the name of the stack and the path of the construct in it, ending in a slash
   */
  readonly prefix?: string;
}

/**
 * The place of the accounts. A secret holds `{"passwordHash": "$scrypt$…", "home": "/partner"}`, as `ftps user hash` and the
 * settings reference have it. Accounts are data, not infrastructure: they come and go without a deployment.
 */
export class Accounts extends Construct {
  /** Prefix of the secrets' names. */
  public readonly prefix: string;
  /** Encrypts the accounts; to be named when a secret is created. */
  public readonly key: Key;

  constructor(scope: Construct, id: string, props: AccountsProps = {}) {
    super(scope, id);
    this.prefix = props.prefix ?? `${stableName(this)}/`;
    if (!/^[A-Za-z0-9/_+=.@-]+\/$/.test(this.prefix))
      throw new Error(`prefix: "${this.prefix}" can't begin the name of a secret; use letters, digits and /_+=.@- and end it in a slash`);
    this.key = new Key(this, 'Key', { description: `FTPS accounts ${this.prefix}`, enableKeyRotation: true });
  }

  /** Allows reading the accounts: these secrets, and nothing else. */
  public grantRead(grantee: IGrantable): void {
    const stack = Stack.of(this);
    const resource = stack.formatArn({
      service: 'secretsmanager',
      resource: 'secret',
      resourceName: `${this.prefix}*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
    grantee.grantPrincipal.addToPrincipalPolicy(
      new PolicyStatement({ effect: Effect.ALLOW, actions: ['secretsmanager:GetSecretValue'], resources: [resource] }),
    );
    this.key.grantDecrypt(grantee);
    acknowledge(
      grantee.grantPrincipal as unknown as IConstruct,
      `AwsSolutions-IAM5[Resource::${inFinding(this, resource)}]`,
      'Accounts are created after deployment, one secret each; the wildcard covers only secrets below the prefix of this service.',
    );
  }
}
