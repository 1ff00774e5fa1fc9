/** The keys of AS2: by which messages and receipts are signed, and for which partners encrypt. Made once and changed with overlap, or given. */
import { CfnOutput, CustomResource, Duration, Lazy, Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IAlarmAction, Metric, type MetricOptions, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { type Grant, type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { encryptBelow } from '../encryption/given-key';
import { ServiceFunction } from '../functions/service-function';
import { KeysSecret } from '../identity/keys-secret';
import { grantReadOf } from '../identity/secrets-key';
import { refuseUnknownProps } from '../known-props';
import { stableName } from '../names';
import { NAMESPACE } from '../observability/namespace';

/** What `As2Keys.generated` is told. */
export interface As2KeysProps {
  /**
   * How long a key signs before the next one does. Whole days, from 30 on; `Duration.days(0)` changes keys only when somebody says so. Another
   * time counts for the keys that are there as well, and leaves partners `announce` in any case.
   * @default Duration.days(365)
   */
  readonly changeEvery?: Duration;
  /**
   * How long before a change its alarm goes off, so that partners are told. Whole days.
   * @default Duration.days(30)
   */
  readonly announce?: Duration;
  /**
   * How long after a change what is encrypted for the key before can still be decrypted. Whole days.
   * @default Duration.days(90)
   */
  readonly keepPrevious?: Duration;
  /**
   * Key that encrypts them.
   * @default - the one of what they lie in, or a new one
   */
  readonly encryptionKey?: IKey;
}

const LEAST_DAYS = 30;
const ANNOUNCE_DAYS = 30;

/**
 * The keys of AS2 in Secrets Manager, the same on every instance: one that signs and that partners encrypt for, the next one, whose certificate partners
 * can be told from the beginning, and the one before. Their certificates are in two parameters of Systems Manager. What is private in them is in no
 * template, no log and no answer of the Lambda.
 */
export class As2Keys extends Construct {
  /**
   * RSA of 3072 bits with certificates that they sign themselves, made by a Lambda at the first deployment and changed by it in time. No update and no
   * rollback replaces them, and when the stack is deleted the secret stays.
   */
  public static generated(scope: Construct, id: string, props: As2KeysProps = {}): As2Keys {
    refuseUnknownProps(props, 'As2KeysProps');
    const keys = new As2Keys(scope, id);
    encryptBelow(keys, props.encryptionKey);
    return keys.served(undefined, props);
  }

  /**
   * Those that partners know already, or that an authority issued: `{"certificate": "-----BEGIN CERTIFICATE-----…", "privateKey": "-----BEGIN PRIVATE
   * KEY-----…"}`, and in the same form `next`, which signs when you move it to the top, and `previous`, which decrypts until you take it out. Nobody else writes it. The deployment
   * fails where they can't be used. Where the secret has a key of its own, name that too: `Secret.fromSecretAttributes` with `encryptionKey`.
   */
  public static fromSecret(scope: Construct, id: string, secret: ISecret): As2Keys {
    return new As2Keys(scope, id).served(secret, {});
  }

  private lambda!: ServiceFunction;
  private kept!: ISecret;
  private made?: KeysSecret;
  private resource!: CustomResource;
  private alarm!: Alarm;
  private as2Id?: string;

  private constructor(scope: Construct, id: string) {
    super(scope, id);
  }

  /** The secret that the instances read. */
  public get secret(): ISecret {
    return this.kept;
  }

  /** SHA-256 of the certificate in use, and how long it lasts. Known when it is deployed. */
  public get fingerprint(): string {
    return this.resource.getAttString('Certificate');
  }

  /** The same of the one that signs next. Known when it is deployed. */
  public get nextFingerprint(): string {
    return this.resource.getAttString('Next');
  }

  /** Name of the parameter of Systems Manager that has the certificate in use, in PEM. */
  public get certificateParameter(): string {
    return `${this.parameters}/current`;
  }

  /** Name of the parameter that has the certificate that signs next. */
  public get nextCertificateParameter(): string {
    return `${this.parameters}/next`;
  }

  /** Allows reading them: this secret, and nothing else. */
  public grantRead(grantee: IGrantable): Grant {
    return this.made?.grantRead(grantee) ?? grantReadOf(this.kept, grantee);
  }

  /** Lets its alarms do something: they go off when the keys can't be made or read, and when partners are to be told the next certificate. */
  public addAlarmAction(action: IAlarmAction): void {
    for (const alarm of [this.lambda.failedAlarm, this.alarm]) alarm.addAlarmAction(action);
  }

  /** Days until partners need another certificate. */
  public metricDaysLeft(options?: MetricOptions): Metric {
    return new Metric({
      namespace: NAMESPACE,
      metricName: 'As2KeyDaysLeft',
      dimensionsMap: { Keys: stableName(this) },
      statistic: 'Minimum',
      period: Duration.days(1),
      ...options,
    });
  }

  /**
   * The AS2 name that they are for.
   * @internal
   */
  public _serve(as2Id: string): void {
    this.as2Id ??= as2Id;
  }

  /**
   * Once, beside the keys: an output that only repeats an import from another stack says nothing.
   * @internal
   */
  public _addOutputs(): void {
    if (this.node.tryFindChild('As2Certificate')) return;
    const parameters = `${this.certificateParameter} and ${this.nextCertificateParameter}`;
    new CfnOutput(this, 'As2Certificate', { value: this.fingerprint, description: 'SHA-256 of the certificate of AS2 that partners need' });
    new CfnOutput(this, 'As2NextCertificate', { value: this.nextFingerprint, description: 'SHA-256 of the one that signs after the next change of keys' });
    if (this.made) new CfnOutput(this, 'As2KeysFunction', { value: this.lambda.lambda.functionName, description: 'For ftps as2 change-keys --function' });
    new CfnOutput(this, 'As2Certificates', { value: parameters, description: 'Parameters of Systems Manager with both certificates, for partners' });
  }

  private get parameters(): string {
    return `/${stableName(this)}`.replaceAll(/[^\w./-]/g, '-');
  }

  private served(given: ISecret | undefined, props: As2KeysProps): As2Keys {
    const changeDays = (props.changeEvery ?? Duration.days(365)).toDays();
    const announceDays = (props.announce ?? Duration.days(ANNOUNCE_DAYS)).toDays();
    const keepDays = (props.keepPrevious ?? Duration.days(90)).toDays();
    if (changeDays !== 0 && changeDays < LEAST_DAYS)
      throw new Error(
        `changeEvery: ${changeDays} days are too few for partners to follow; choose ${LEAST_DAYS} or more, or Duration.days(0) to change keys by hand`,
      );
    if (changeDays !== 0 && announceDays >= changeDays)
      throw new Error(`announce: ${announceDays} days are as long as a key signs (${changeDays} days), so that the alarm would never end; choose fewer`);
    this.made = given
      ? undefined
      : new KeysSecret(this, {
          what: 'Keys of AS2',
          description: 'Keys of AS2; made and changed by a Lambda, never replaced by a deployment',
          whyNotRotated:
            'A Lambda changes the keys, in three steps a year apart, which the rotation of Secrets Manager does not know: partners have to be told before.',
        });
    this.kept = given ?? this.made!.secret;
    const told = [this.certificateParameter, this.nextCertificateParameter].map((name) =>
      Stack.of(this).formatArn({ service: 'ssm', resource: 'parameter', resourceName: name.slice(1) }),
    );
    const publish = new PolicyStatement({ actions: ['ssm:PutParameter', 'ssm:DeleteParameter'], resources: told });
    const as2Id = Lazy.string({ produce: () => this.as2Id ?? 'AS2' });
    this.lambda = new ServiceFunction(this, 'Lambda', {
      bundle: 'as2-keys',
      description: given
        ? 'Looks every day whether the keys of AS2 can be read, and tells their certificates'
        : 'Makes the keys of AS2, changes them in time, and tells their certificates',
      alone: false,
      environment: {
        SECRET_ID: this.kept.secretArn,
        MAKES: String(given === undefined),
        AS2_ID: as2Id,
        PARAMETERS: this.parameters,
        CHANGE_DAYS: String(given ? 0 : changeDays),
        ANNOUNCE_DAYS: String(announceDays),
        KEEP_DAYS: String(keepDays),
        METRIC_NAMESPACE: NAMESPACE,
        METRIC_KEYS: stableName(this),
      },
      permissions: [publish, ...(this.made?.mayMake() ?? [])],
    });
    if (given) grantReadOf(given, this.lambda.role);
    this.resource = new CustomResource(this, 'Resource', {
      serviceToken: this.lambda.lambda.functionArn,
      resourceType: 'Custom::FtpsAs2Keys',
      properties: { Secret: this.kept.secretArn, As2Id: as2Id, ChangeDays: String(changeDays) },
    });
    // Its role and its permissions are there before it is asked.
    this.resource.node.addDependency(this.lambda);
    const daily = new Rule(this, 'Daily', {
      description: 'Changes the keys of AS2 when their time has come, and looks whether they can be read',
      schedule: Schedule.rate(Duration.days(1)),
      targets: [new LambdaFunction(this.lambda.lambda, { retryAttempts: 2 })],
    });
    // A rule begins with its first run, and there are no keys before.
    daily.node.addDependency(this.resource);
    this.alarm = new Alarm(this, 'ChangesSoon', {
      alarmDescription: given
        ? `The certificate of AS2 ends within ${announceDays} days. Put a new pair into its secret as "next", tell partners its certificate, and move it to the top when they have it.`
        : `The keys of AS2 change within ${announceDays} days. Partners that do not know the next certificate will refuse what is signed by it: tell them the one in the parameter ${this.nextCertificateParameter}. A longer changeEvery puts the change off.`,
      metric: this.metricDaysLeft(),
      threshold: announceDays,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.IGNORE, // the alarm of the Lambda tells of runs that fail
    });
    return this;
  }
}
