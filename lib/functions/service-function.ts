/** A Lambda of the service: its own role, what it could not do kept and told. */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { type PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Architecture, Function as LambdaFn, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { lambdaCode } from '../bundles';
import { acknowledgeRegulations } from '../compliance/acknowledge';
import { givenLogKey } from '../network/log-key';
import { FailureQueue } from './failure-queue';
import { acceptSharedConcurrency, oneAtATime } from './one-at-a-time';

export interface ServiceFunctionProps {
  /** Name of the bundle: the folders of its handler below lib/, joined by hyphens. */
  readonly bundle: string;
  /** What it does, in words. */
  readonly description: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly permissions: PolicyStatement[];
  /** Whether two runs at once would undo each other's work. */
  readonly alone: boolean;
  /** @default Duration.minutes(2) */
  readonly timeout?: Duration;
}

export class ServiceFunction extends Construct {
  public readonly lambda: LambdaFn;
  public readonly role: Role;
  /** Goes off when a run failed. */
  public readonly failedAlarm: Alarm;

  constructor(scope: Construct, id: string, props: ServiceFunctionProps) {
    super(scope, id);
    const { bundle, description, environment, permissions, alone, timeout = Duration.minutes(2) } = props;
    this.role = new Role(this, 'Role', { assumedBy: new ServicePrincipal('lambda.amazonaws.com'), description });
    const encryptionKey = givenLogKey(this);
    const logGroup = new LogGroup(this, 'Logs', { encryptionKey, retention: RetentionDays.ONE_YEAR, removalPolicy: RemovalPolicy.RETAIN });
    logGroup.grantWrite(this.role);
    if (!encryptionKey)
      acknowledgeRegulations(
        logGroup,
        'CloudWatchLogGroupEncrypted',
        'CloudWatch Logs encrypts it with its own key. The log names what the Lambda did; no secret reaches it.',
      );
    const { queue: deadLetterQueue } = new FailureQueue(this, 'Failures', { of: description, role: this.role });
    for (const statement of permissions) this.role.addToPolicy(statement);
    const reservedConcurrentExecutions = alone ? oneAtATime(this) : undefined;
    this.lambda = new LambdaFn(this, 'Function', {
      description,
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code: lambdaCode(bundle),
      timeout,
      memorySize: 256,
      reservedConcurrentExecutions,
      deadLetterQueue,
      retryAttempts: 2,
      role: this.role,
      logGroup,
      environment: { ...environment },
    });
    if (reservedConcurrentExecutions === undefined) acceptSharedConcurrency(this.lambda);
    this.failedAlarm = new Alarm(this, 'Failed', {
      alarmDescription: `Failed: ${description}`,
      metric: this.lambda.metricErrors({ period: Duration.minutes(5) }),
      threshold: 1,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
  }
}
