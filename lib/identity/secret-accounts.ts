/** Accounts in Secrets Manager, one secret each, below a prefix. */

import { ArnFormat, type Duration, Stack } from 'aws-cdk-lib';
import type { IConnectable } from 'aws-cdk-lib/aws-ec2';
import { type Grant, type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Construct, IConstruct } from 'constructs';
import { acknowledge, inFinding } from '../compliance/acknowledge';
import { encryptBelow, keyFor } from '../encryption/given-key';
import { letRolesUse } from '../encryption/key-policy';
import { granted } from '../grants';
import { refuseUnknownProps } from '../known-props';
import { stableName } from '../names';
import { FtpsAccounts, outputOnce, type ServedBy } from './accounts';
import { useBySecretsManager } from './secrets-key';

/** What `SecretAccounts` is told. */
export interface SecretAccountsProps {
  /**
   * Names of the secrets begin with this; the rest is the name of the user. AWS Transfer Family's secrets can stay where they are:
   * `aws/transfer/s-0123456789abcdef0/`.
   * @default - the name of the stack and the path of the construct in it, ending in a slash
   */
  readonly prefix?: string;
  /**
   * How long an account that was found is remembered.
   * @default Duration.seconds(30)
   */
  readonly cacheTtl?: Duration;
  /**
   * How long it is remembered that there is no such account.
   * @default Duration.seconds(10)
   */
  readonly negativeCacheTtl?: Duration;
  /**
   * Key that encrypts accounts that are made from now on.
   * @default - the one of what it lies in, or a new one
   */
  readonly encryptionKey?: IKey;
  /**
   * Keys that secrets below the prefix are encrypted by already, those of AWS Transfer Family for example. Without them the instances
   * could not read these accounts.
   * @default - none
   */
  readonly furtherKeys?: IKey[];
}

/**
 * The place of the accounts. A secret holds `{"passwordHash": "$scrypt$…", "home": "/partner"}`, as `ftps user add --prefix` writes it
 * and the settings reference has it, or what AWS Transfer Family's custom identity provider keeps. Accounts are data, not
 * infrastructure: they come and go without a deployment.
 */
export class SecretAccounts extends FtpsAccounts {
  public readonly description = 'Secrets Manager';
  /** Prefix of the secrets' names. */
  public readonly prefix: string;
  /** Encrypts the accounts; to be named when a secret is created. */
  public readonly key: IKey;
  private readonly writers: IConstruct[] = [];
  private readonly users = new Set<string>();
  private service?: ServedBy;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: SecretAccountsProps = {},
  ) {
    super(scope, id);
    refuseUnknownProps(props, 'SecretAccountsProps');
    encryptBelow(this, props.encryptionKey);
    this.prefix = props.prefix ?? `${stableName(this)}/`;
    if (!/^[A-Za-z0-9/_+=.@-]+\/$/.test(this.prefix))
      throw new Error(`prefix: "${this.prefix}" can't begin the name of a secret; use letters, digits and /_+=.@- and end it in a slash`);
    this.key = keyFor(this, 'Key', { description: `FTPS accounts ${this.prefix}` });
    for (const key of this.keys()) letRolesUse(this, key, 'secretsmanager');
  }

  public override sources(): { readonly [key: string]: unknown }[] {
    const { cacheTtl, negativeCacheTtl } = this.props;
    return [
      {
        kind: 'secrets',
        prefix: this.prefix,
        ...(cacheTtl === undefined ? {} : { cacheSeconds: cacheTtl.toSeconds() }),
        ...(negativeCacheTtl === undefined ? {} : { negativeCacheSeconds: negativeCacheTtl.toSeconds() }),
      },
    ];
  }

  /** Allows reading the accounts: these secrets, and nothing else. */
  public override grantRead(grantee: IGrantable): Grant {
    const resource = this._arnOfAll(this);
    this.acceptWildcard(grantee, resource);
    return granted(
      grantee,
      new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [resource] }),
      ...this.keys().map((key) => useBySecretsManager(key, 'Decrypt')),
    );
  }

  /** Allows looking after the accounts with `ftps user`. */
  public grantManage(grantee: IGrantable): Grant {
    const resource = this._arnOfAll(this);
    const actions = ['GetSecretValue', 'DescribeSecret', 'CreateSecret', 'PutSecretValue', 'UpdateSecret', 'DeleteSecret', 'RestoreSecret'].map(
      (action) => `secretsmanager:${action}`,
    );
    this.acceptWildcard(grantee, resource);
    return granted(
      grantee,
      new PolicyStatement({ actions, resources: [resource] }),
      // ListSecrets knows no resources (Service Authorization Reference, AWS Secrets Manager); names are no secrets.
      new PolicyStatement({ actions: ['secretsmanager:ListSecrets'], resources: ['*'] }),
      ...this.keys().map((key) => useBySecretsManager(key, 'Decrypt', 'GenerateDataKey')),
    );
  }

  public override allowFrom(_instances: IConnectable): void {
    // Secrets Manager is reached over HTTPS, as every AWS API.
  }

  public override addOutputs(scope: Construct): void {
    outputOnce(scope, 'AccountsPrefix', this.prefix, 'For ftps user --prefix; an account is a secret of this prefix and the name of the user');
    outputOnce(scope, 'AccountsKey', this.key.keyArn, 'For ftps user add --kms-key');
  }

  private keys(): IKey[] {
    return [this.key, ...(this.props.furtherKeys ?? [])];
  }

  /** @internal */
  public override _serve(service: ServedBy): void {
    this.service = service;
    for (const writer of this.writers) service.adopt(writer);
  }

  /**
   * Whether hashes are to be those of FIPS 140-3; known when everything is said.
   * @internal
   */
  public get _fips(): boolean {
    return this.service?.fips ?? false;
  }

  /**
   * An account that is said in code, and what writes it.
   * @internal
   */
  public _takeUp(user: string, writer: IConstruct): void {
    if (this.users.has(user)) throw new Error(`userName: "${user}" is there twice below ${this.prefix}; give each account its own name`);
    this.users.add(user);
    if (this.writers.includes(writer)) return;
    this.writers.push(writer);
    this.service?.adopt(writer);
  }

  /**
   * ARN of the secrets of all accounts, in the stack of `scope`.
   * @internal
   */
  public _arnOfAll(scope: IConstruct): string {
    return Stack.of(scope).formatArn({
      service: 'secretsmanager',
      resource: 'secret',
      resourceName: `${this.prefix}*`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  }

  private acceptWildcard(grantee: IGrantable, resource: string): void {
    acknowledge(
      grantee.grantPrincipal as unknown as IConstruct,
      `AwsSolutions-IAM5[Resource::${inFinding(this, resource)}]`,
      'Accounts are created after deployment, one secret each; the wildcard covers only secrets below the prefix of this service.',
    );
  }
}
