/** The keys by which clients of SSH know the service: made once and kept, or those of the server that it replaces. */
import { CustomResource, Duration, Lazy } from 'aws-cdk-lib';
import type { IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { encryptBelow } from '../encryption/given-key';
import { ServiceFunction } from '../functions/service-function';
import { outputOnce } from '../identity/accounts';
import { KeysSecret } from '../identity/keys-secret';
import { grantReadOf } from '../identity/secrets-key';
import { refuseUnknownProps } from '../known-props';

/** What `HostKeys.generated` is told. */
export interface HostKeysProps {
  /**
   * Key that encrypts them.
   * @default - the one of what they lie in, or a new one
   */
  readonly encryptionKey?: IKey;
}

/** Host keys in Secrets Manager, the same on every instance. What is private in them is in no template, no log and no answer of the Lambda. */
export class HostKeys extends Construct {
  /**
   * Ed25519 (with `TlsPolicy.FIPS` none), ECDSA on P-256 and RSA of 3072 bits, made by a Lambda at the first deployment. Nothing replaces them later: no update, no rollback, and
   * when the stack is deleted the secret stays.
   */
  public static generated(scope: Construct, id: string, props: HostKeysProps = {}): HostKeys {
    refuseUnknownProps(props, 'HostKeysProps');
    const keys = new HostKeys(scope, id);
    encryptBelow(keys, props.encryptionKey);
    return keys.served(undefined);
  }

  /**
   * Those of the server that is replaced, so that no client warns: `{"privateKeys": ["-----BEGIN OPENSSH PRIVATE KEY-----…", …]}`, or `privateKey`
   * with one, as `ssh-keygen` or OpenSSL writes them, without a passphrase. The deployment fails where they can't be used. Where the secret has a key
   * of its own, name that too: `Secret.fromSecretAttributes` with `encryptionKey`.
   */
  public static fromSecret(scope: Construct, id: string, secret: ISecret): HostKeys {
    return new HostKeys(scope, id).served(secret);
  }

  private lambda!: ServiceFunction;
  private kept!: ISecret;
  private made?: KeysSecret;
  private resource!: CustomResource;
  private readonly hosts = new Set<string>();
  private fips = false;

  private constructor(scope: Construct, id: string) {
    super(scope, id);
  }

  /** The secret that the instances read. */
  public get secret(): ISecret {
    return this.kept;
  }

  /** Their public halves as lines of a `known_hosts` file, for the service that uses them. Known when it is deployed. */
  public get knownHosts(): string {
    return this.resource.getAttString('KnownHosts');
  }

  /** `SHA256:… (ED25519)`, a line each, as `ssh` shows them to whoever connects for the first time. Known when they are deployed. */
  public get fingerprints(): string {
    return this.resource.getAttString('Fingerprints');
  }

  /** Allows reading them: this secret, and nothing else. */
  public grantRead(grantee: IGrantable): Grant {
    return this.made?.grantRead(grantee) ?? grantReadOf(this.kept, grantee);
  }

  /** Lets its alarms do something: they go off when the keys can't be made, or can no longer be read. */
  public addAlarmAction(action: IAlarmAction): void {
    this.lambda.failedAlarm.addAlarmAction(action);
  }

  /**
   * The host name and port by which clients will look for them, and whether the servers stay within FIPS 140-3.
   * @internal
   */
  public _serve(host: string, port: number, fips: boolean): void {
    this.fips ||= fips;
    this.hosts.add(port === 22 ? host : `[${host}]:${port}`);
  }

  /**
   * Once, beside the keys: an output that only repeats an import from another stack says nothing.
   * @internal
   */
  public _addOutputs(): void {
    outputOnce(this, 'KnownHosts', this.knownHosts, 'Lines for the known_hosts files of SFTP clients');
    outputOnce(this, 'HostKeys', this.fingerprints, 'Fingerprints of the host keys, as clients of SFTP show them');
  }

  private served(given: ISecret | undefined): HostKeys {
    this.made = given
      ? undefined
      : new KeysSecret(this, {
          what: 'Host keys of SFTP',
          description: 'Host keys of SFTP; made once by a Lambda, never replaced by a deployment',
          whyNotRotated: 'Clients know the service by these keys and refuse others, so that nothing may replace them on a schedule.',
        });
    this.kept = given ?? this.made!.secret;
    this.lambda = new ServiceFunction(this, 'Lambda', {
      bundle: 'sftp-host-keys',
      description: `${given ? 'Looks' : 'Makes the host keys of SFTP once, and looks'} every day whether the host keys of SFTP can be read`,
      alone: false,
      environment: { SECRET_ID: this.kept.secretArn, MAKES: String(given === undefined) },
      permissions: this.made?.mayMake() ?? [],
    });
    if (given) grantReadOf(given, this.lambda.role);
    this.resource = new CustomResource(this, 'Resource', {
      serviceToken: this.lambda.lambda.functionArn,
      resourceType: 'Custom::FtpsHostKeys',
      properties: {
        Secret: this.kept.secretArn,
        Hosts: Lazy.string({ produce: () => [...this.hosts].join(',') }),
        Fips: Lazy.string({ produce: () => String(this.fips) }),
      },
    });
    // Its role and its permissions are there before it is asked.
    this.resource.node.addDependency(this.lambda);
    const daily = new Rule(this, 'Daily', {
      description: 'Looks whether the host keys of SFTP can be read, before an instance has to',
      schedule: Schedule.rate(Duration.days(1)),
      targets: [new LambdaFunction(this.lambda.lambda, { retryAttempts: 2 })],
    });
    // A rule begins with its first run, and there are no keys before.
    daily.node.addDependency(this.resource);
    return this;
  }
}
