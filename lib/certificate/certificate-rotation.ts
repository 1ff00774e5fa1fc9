/** The secret that the instances read, and the Lambda that keeps the right certificate in it. */
import { DefaultStackSynthesizer, Duration, Fn, Lazy, RemovalPolicy, Stack, Tags } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IAlarmAction, Metric, type MetricOptions, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { AnyPrincipal, Effect, type Grant, type IGrantable, type IPrincipal, type IRole, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Architecture, Function as LambdaFn, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { CfnDocument } from 'aws-cdk-lib/aws-ssm';
import { Trigger } from 'aws-cdk-lib/triggers';
import { Construct, type IConstruct } from 'constructs';
import { lambdaCode } from '../bundles';
import { acknowledge, acknowledgeRegulations, inFinding } from '../compliance/acknowledge';
import { digest } from '../digest';
import { keyFor } from '../encryption/given-key';
import { letRolesUse } from '../encryption/key-policy';
import { FailureQueue } from '../functions/failure-queue';
import { acceptSharedConcurrency, oneAtATime } from '../functions/one-at-a-time';
import { granted } from '../grants';
import { useBySecretsManager } from '../identity/secrets-key';
import { stableName } from '../names';
import { givenLogKey } from '../network/log-key';
import { NAMESPACE } from '../observability/namespace';

/** What differs between a certificate of ACM and one straight from a private authority. */
export interface RotationSource {
  readonly environment: Record<string, string>;
  readonly permissions: PolicyStatement[];
  /** The certificate whose events start a rotation; none where ACM knows nothing of it. */
  readonly certificateArn?: string;
  readonly interval: Duration;
  /** Days before the end at which alarms go off. */
  readonly alarmDays: number[];
}

export interface CertificateRotationProps {
  readonly names: string[];
  readonly minTimeLeft: Duration;
  readonly source: RotationSource;
  /** Role as which CloudFormation works, where it is not the one of the CDK's bootstrap. */
  readonly deploymentRole?: IRole;
}

/** Why a rotation failed, and what its alarm tells a person to do. The words are those of the Lambda. */
const failures = {
  revoked: 'The certificate was revoked. Have a new one issued and deploy it; until then the revoked one may be what is served.',
  refused: 'A new certificate failed its check (key, chain, names, dates or strength) and is not served. The log of the Lambda says which.',
  source: 'ACM or the private authority gave no certificate (status, permission or throttling). The log of the Lambda says which.',
  store: 'Secrets Manager did not take the certificate. The log of the Lambda says why.',
} as const;

export class CertificateRotation extends Construct {
  public readonly secret: Secret;
  public readonly rotation: LambdaFn;
  private readonly role: Role;
  private readonly key: IKey;
  private readonly readers: IPrincipal[] = [];
  private readonly denyReading: PolicyStatement;
  private readonly alarms: Alarm[] = [];

  constructor(scope: Construct, id: string, props: CertificateRotationProps) {
    super(scope, id);
    this.key = keyFor(this, 'Key', { description: 'FTPS certificate and its private key', removalPolicy: RemovalPolicy.RETAIN });
    letRolesUse(this, this.key, 'secretsmanager');
    this.secret = new Secret(this, 'Secret', {
      description: 'FTPS certificate, chain and private key; written by the rotation Lambda',
      encryptionKey: this.key,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    const rotatedOtherwise = 'The rotation Lambda puts a new version in when the certificate was renewed; the authority, not Secrets Manager, sets the time.';
    acknowledge(this.secret, 'AwsSolutions-SMG4', rotatedOtherwise);
    for (const pack of ['HIPAA.Security', 'NIST.800.53.R5']) acknowledge(this.secret, `${pack}-SecretsManagerRotationEnabled`, rotatedOtherwise);
    this.role = new Role(this, 'RotationRole', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: 'Takes the FTPS certificate from its source and puts it into its secret',
    });
    this.rotation = this.makeLambda(props);
    // At the first deployment: ACM renews only a certificate that was exported once.
    const firstExport = new Trigger(this, 'FirstExport', { handler: this.rotation, timeout: Duration.minutes(2), executeAfter: [this.secret, this.role] });
    acknowledge(
      Stack.of(this).node.findChild('AWSCDK.TriggerCustomResourceProviderCustomResourceProvider'),
      `AwsSolutions-IAM5[Resource::${inFinding(this, this.rotation.functionArn)}:*]`,
      'AWS CDK lets its trigger start any version of this one Lambda, which it does once, while the stack is made.',
    );
    this.denyReading = this.limitAccess(props.deploymentRole);
    // A rule begins with its first run; two runs at once would be in each other's way.
    for (const rule of this.schedule(props.source)) rule.node.addDependency(firstExport);
    this.makeAlarms(props.source.alarmDays);
  }

  public grantRead(grantee: IGrantable): Grant {
    const principal = grantee.grantPrincipal;
    if (Construct.isConstruct(principal) && Stack.of(principal) !== Stack.of(this)) this.admitByTag(principal);
    else this.readers.push(principal);
    // Both in the policy of whoever reads: CDK would name the reader in the policy of the key, which then could lie in no other stack.
    const read = new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [this.secret.secretArn] });
    return granted(grantee, read, useBySecretsManager(this.key, 'Decrypt'));
  }

  /**
   * The role of a stack that is deployed later, since it needs the secret: its ARN can't be in the policy of the secret yet, so it is known by a tag
   * (IAM user guide, "aws:PrincipalTag").
   */
  private admitByTag(role: IConstruct): void {
    const tag = `cdk-ftps:reads-${digest(stableName(this))}`;
    Tags.of(role).add(tag, READS);
    this.denyReading.addCondition('StringNotEquals', { [`aws:PrincipalTag/${tag}`]: READS });
  }

  public metricDaysLeft(options?: MetricOptions): Metric {
    return this.metric('CertificateDaysLeft', {}, { statistic: 'Minimum', period: Duration.days(1), ...options });
  }

  public metricFailures(reason: string, options?: MetricOptions): Metric {
    return this.metric('CertificateRotationFailures', { Reason: reason }, { statistic: 'Sum', period: Duration.hours(1), ...options });
  }

  public addAlarmAction(action: IAlarmAction): void {
    for (const alarm of this.alarms) alarm.addAlarmAction(action);
  }

  /** Tells these instances as soon as another certificate is current. They also look by themselves. */
  public pushTo(instances: IConstruct): void {
    const stack = Stack.of(this);
    const value = stableName(instances);
    Tags.of(instances).add(FLEET_TAG, value);
    const anyInstance = stack.formatArn({ service: 'ec2', resource: 'instance', resourceName: '*' });
    const document = new CfnDocument(this, 'Reload', {
      documentType: 'Command',
      updateMethod: 'NewVersion',
      content: {
        schemaVersion: '2.2',
        description: 'Makes an FTPS server look at its certificate; nothing else.',
        mainSteps: [{ action: 'aws:runShellScript', name: 'reload', inputs: { runCommand: ['systemctl reload ftps.service'], timeoutSeconds: '30' } }],
      },
    });
    this.rotation.addEnvironment('RELOAD_DOCUMENT', document.ref);
    this.rotation.addEnvironment('RELOAD_TAG', `${FLEET_TAG}=${value}`);
    this.role.addToPolicy(
      new PolicyStatement({ actions: ['ssm:SendCommand'], resources: [stack.formatArn({ service: 'ssm', resource: 'document', resourceName: document.ref })] }),
    );
    this.role.addToPolicy(
      new PolicyStatement({
        actions: ['ssm:SendCommand'],
        resources: [anyInstance],
        conditions: { StringEquals: { [`ssm:resourceTag/${FLEET_TAG}`]: value } },
      }),
    );
    acknowledge(
      this.role,
      `AwsSolutions-IAM5[Resource::${inFinding(this, anyInstance)}]`,
      'The ids of instances are not known before they start; the condition limits this to the instances of the service, and only one document may be sent.',
    );
  }

  private makeLambda({ names, minTimeLeft, source }: CertificateRotationProps): LambdaFn {
    const { queue: deadLetterQueue, alarm } = new FailureQueue(this, 'Failures', { of: 'rotation of the FTPS certificate', role: this.role });
    this.alarms.push(alarm);
    const encryptionKey = givenLogKey(this);
    const logGroup = new LogGroup(this, 'RotationLogs', { encryptionKey, retention: RetentionDays.ONE_YEAR, removalPolicy: RemovalPolicy.RETAIN });
    if (!encryptionKey)
      acknowledgeRegulations(
        logGroup,
        'CloudWatchLogGroupEncrypted',
        'CloudWatch Logs encrypts it with its own key. The log names certificates by their serial numbers; a key or passphrase never reaches it.',
      );
    const reservedConcurrentExecutions = oneAtATime(this); // two rotations at once would race for the staging label
    const rotation = new LambdaFn(this, 'Rotation', {
      description: 'Takes the FTPS certificate from its source, checks it, and makes it current in Secrets Manager',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code: lambdaCode('certificate-rotation'),
      timeout: Duration.minutes(2),
      memorySize: 256,
      reservedConcurrentExecutions,
      deadLetterQueue,
      retryAttempts: 2,
      role: this.role,
      logGroup,
      environment: {
        SECRET_ID: this.secret.secretArn,
        NAMES: names.join(','),
        MIN_DAYS_LEFT: String(minTimeLeft.toDays()),
        METRIC_NAMESPACE: NAMESPACE,
        METRIC_SECRET: stableName(this),
        ...source.environment,
      },
    });
    if (reservedConcurrentExecutions === undefined) acceptSharedConcurrency(rotation);
    logGroup.grantWrite(this.role);
    for (const statement of source.permissions) this.role.addToPolicy(statement);
    this.role.addToPolicy(
      new PolicyStatement({
        actions: ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue', 'secretsmanager:DescribeSecret', 'secretsmanager:UpdateSecretVersionStage'],
        resources: [this.secret.secretArn],
      }),
    );
    this.role.addToPolicy(useBySecretsManager(this.key, 'Decrypt', 'GenerateDataKey'));
    return rotation;
  }

  /**
   * Whatever else the account allows: only the Lambda writes, and only those who were granted it, and the Lambda, read. CloudFormation changes tags,
   * description and key by UpdateSecret (registry schema of AWS::SecretsManager::Secret): refused, a new tag would leave the stack in UPDATE_ROLLBACK_FAILED.
   */
  private limitAccess(deploymentRole: IRole | undefined): PolicyStatement {
    const deny = (actions: string[], except: () => string[], conditions: object = {}) => {
      const statement = new PolicyStatement({
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions,
        resources: ['*'], // in a resource policy this means the secret itself
        conditions: { ArnNotEquals: { 'aws:PrincipalArn': Lazy.list({ produce: except }) }, ...conditions },
      });
      this.secret.addToResourcePolicy(statement);
      return statement;
    };
    deny(['secretsmanager:PutSecretValue', 'secretsmanager:UpdateSecretVersionStage'], () => [this.role.roleArn]);
    const deployers = deploymentRole ? [deploymentRole.roleArn] : deploymentRoles(this);
    deny(
      ['secretsmanager:UpdateSecret'],
      () => [this.role.roleArn, ...deployers],
      // Without a role of its own, CloudFormation asks in the name of whoever deploys (IAM user guide, "aws:CalledVia").
      deployers.length === 0 ? { 'ForAllValues:StringNotEquals': { 'aws:CalledVia': ['cloudformation.amazonaws.com'] } } : {},
    );
    return deny(['secretsmanager:GetSecretValue', 'secretsmanager:BatchGetSecretValue'], () => [
      this.role.roleArn,
      ...this.readers.map((reader) => (reader as IRole).roleArn).filter((arn) => arn !== undefined),
    ]);
  }

  /** ACM's events are best effort, so the Lambda also looks by itself. */
  private schedule({ certificateArn, interval }: RotationSource): Rule[] {
    const target = (reason: string) => new LambdaFunction(this.rotation, { event: RuleTargetInput.fromObject({ reason }), retryAttempts: 4 });
    const daily = new Rule(this, 'Daily', {
      description: 'Looks at the certificate, whatever events came',
      schedule: Schedule.rate(interval),
      targets: [target('schedule')],
    });
    if (!certificateArn) return [daily];
    return [
      daily,
      new Rule(this, 'Renewed', {
        description: 'ACM has a new certificate, or says that one ends, has ended or was revoked',
        eventPattern: {
          source: ['aws.acm'],
          detailType: [
            'ACM Certificate Available',
            'ACM Certificate Approaching Expiration',
            'ACM Certificate Rotated',
            'ACM Certificate Expired',
            'ACM Certificate Revoked',
            'ACM Certificate Renewal Action Required',
          ],
          resources: [certificateArn],
        },
        targets: [target('event')],
      }),
    ];
  }

  private makeAlarms(alarmDays: number[]): void {
    const whenAny = { threshold: 1, evaluationPeriods: 1, treatMissingData: TreatMissingData.NOT_BREACHING };
    const comparisonOperator = ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD;
    this.alarms.push(
      new Alarm(this, 'RotationFailed', {
        alarmDescription: 'The rotation of the certificate failed; the last good one is still served. The other alarms and the log of the Lambda say why.',
        metric: this.rotation.metricErrors({ period: Duration.hours(1) }),
        comparisonOperator,
        ...whenAny,
      }),
      ...Object.entries(failures).map(
        ([reason, text]) =>
          new Alarm(this, `RotationFailed-${reason}`, { alarmDescription: text, metric: this.metricFailures(reason), comparisonOperator, ...whenAny }),
      ),
      ...alarmDays.map(
        (days, index) =>
          new Alarm(this, `DaysLeft${days}`, {
            alarmDescription: `The certificate in the secret lasts fewer than ${days} days${index === 0 ? ', or, where data are missing, the Lambda that looks at it does not run' : ''}`,
            metric: this.metricDaysLeft(),
            threshold: days,
            comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
            evaluationPeriods: 1,
            // Before the first run there is nothing to tell. When data stop, the first of these does.
            treatMissingData: index === 0 ? TreatMissingData.MISSING : TreatMissingData.IGNORE,
          }),
      ),
    );
  }

  private metric(metricName: string, dimensions: Record<string, string>, options: MetricOptions): Metric {
    return new Metric({ namespace: NAMESPACE, metricName, dimensionsMap: { Secret: stableName(this), ...dimensions }, ...options });
  }
}

/** The role as which CloudFormation works for the AWS CDK; none where it works as whoever deploys. */
function deploymentRoles(scope: Construct): string[] {
  let stack = Stack.of(scope);
  while (stack.nestedStackParent) stack = stack.nestedStackParent;
  const { synthesizer } = stack;
  return synthesizer instanceof DefaultStackSynthesizer ? [Fn.sub(synthesizer.cloudFormationExecutionRoleArn)] : [];
}

/** The same on every fleet, so that several certificates tell one fleet by one tag. */
const FLEET_TAG = 'cdk-ftps:fleet';
const READS = 'certificate';
