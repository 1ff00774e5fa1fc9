/** What writes the accounts that a stack says in code: a Lambda for all of them. */
import { Duration, Stack } from 'aws-cdk-lib';
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct, type IConstruct } from 'constructs';
import { acknowledge, inFinding } from '../compliance/acknowledge';
import { ServiceFunction } from '../functions/service-function';
import type { SecretAccounts } from './secret-accounts';
import { useBySecretsManager } from './secrets-key';

/** The tag by which an account of the kit is known; the name is the Lambda's (lib/identity/account/account-secrets.ts). */
const OWNED = { Null: { 'aws:ResourceTag/ftps-account-owner': 'false' } };

export class AccountWriter extends Construct {
  /** The one of these accounts in the stack of `scope`, made where there is none yet. */
  public static of(scope: IConstruct, accounts: SecretAccounts): AccountWriter {
    const stack = Stack.of(scope);
    const [place, id] = stack === Stack.of(accounts) ? [accounts, 'Writer'] : [stack, `FtpsAccountWriter${accounts.node.addr.slice(-8)}`];
    return (place.node.tryFindChild(id) as AccountWriter | undefined) ?? new AccountWriter(place, id, accounts);
  }

  public readonly function: ServiceFunction;
  private readonly passwords = new Set<ISecret>();

  private constructor(scope: Construct, id: string, accounts: SecretAccounts) {
    super(scope, id);
    const all = accounts._arnOfAll(this);
    const secrets = (...actions: string[]) => ({ actions: actions.map((action) => `secretsmanager:${action}`), resources: [all] });
    this.function = new ServiceFunction(this, 'Lambda', {
      bundle: 'identity-account',
      description: 'Writes the FTPS accounts that are said in code, and hashes their passwords',
      alone: false,
      environment: { PREFIX: accounts.prefix, KMS_KEY_ID: accounts.key.keyArn, STACK: Stack.of(this).stackId },
      permissions: [
        new PolicyStatement(secrets('DescribeSecret')),
        // What somebody made by hand has no such tag, and is neither read nor changed.
        new PolicyStatement({ ...secrets('CreateSecret', 'TagResource'), conditions: { Null: { 'aws:RequestTag/ftps-account-owner': 'false' } } }),
        new PolicyStatement({
          ...secrets(
            ...['GetSecretValue', 'PutSecretValue', 'UpdateSecret', 'UpdateSecretVersionStage', 'DeleteSecret', 'RestoreSecret'],
            ...['TagResource', 'UntagResource'],
          ),
          conditions: OWNED,
        }),
        // ListSecrets knows no resources (Service Authorization Reference, AWS Secrets Manager); names and tags are no secrets.
        new PolicyStatement({ actions: ['secretsmanager:ListSecrets'], resources: ['*'] }),
        useBySecretsManager(accounts.key, 'Decrypt', 'GenerateDataKey'),
      ],
    });
    acknowledge(
      this.function.role,
      `AwsSolutions-IAM5[Resource::${inFinding(this, all)}]`,
      'An account that gets another name is written under both until the deployment has ended; the wildcard covers only secrets below the prefix of this service, and the conditions those that were made here.',
    );
    acknowledge(this.function.role, 'AwsSolutions-IAM5[Resource::*]', 'ListSecrets knows no resources (Service Authorization Reference, AWS Secrets Manager).');
    new Rule(this, 'Passwords', {
      description: 'Hashes the passwords of FTPS accounts anew whose secrets have another version',
      schedule: Schedule.rate(LOOK_EVERY),
      targets: [new LambdaFunction(this.function.lambda, { retryAttempts: 0 })], // the next look comes soon enough
    });
  }

  /** Lets it read a password. */
  public mayRead(password: ISecret): void {
    if (this.passwords.has(password)) return;
    this.passwords.add(password);
    password.grantRead(this.function.role);
  }

  /** Lets its alarm do something. */
  public addAlarmAction(action: IAlarmAction): void {
    this.function.failedAlarm.addAlarmAction(action);
  }
}

const LOOK_EVERY = Duration.minutes(15);
