/** The certificate of the service: issued by ACM, exported and checked by a Lambda, and kept in Secrets Manager for the instances. */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import { Certificate, CertificateValidation, type ICertificate } from 'aws-cdk-lib/aws-certificatemanager';
import { Alarm, ComparisonOperator, Metric, type MetricOptions, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { AnyPrincipal, Effect, type IGrantable, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Architecture, Function as LambdaFn, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IHostedZone } from 'aws-cdk-lib/aws-route53';
import { type ISecret, Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Trigger } from 'aws-cdk-lib/triggers';
import { Construct } from 'constructs';
import { lambdaCode } from '../bundles';
import { acknowledge } from '../compliance/acknowledge';

/** Where the Lambda reports the days that are left. */
const NAMESPACE = 'CdkFtps';

export interface RotationProps {
  /**
   * Days that a certificate must still last to be taken up.
   * @default 1
   */
  readonly minDaysLeft?: number;
}

export interface PublicCertificateProps extends RotationProps {
  /** Host name that clients connect to. */
  readonly domainName: string;
  /** Further host names. */
  readonly alternativeNames?: string[];
  /** Zone in which ACM's validation records are made. */
  readonly hostedZone: IHostedZone;
}

export interface ExistingCertificateProps extends RotationProps {
  /** ARN of an ACM certificate that may be exported. */
  readonly certificateArn: string;
  /** Host names that it must cover. */
  readonly names: string[];
}

/** A certificate in Secrets Manager, in the form `{certificate, chain, privateKey}`. */
export abstract class ServerCertificate extends Construct {
  /** A public certificate of ACM, exportable, validated by DNS, rotated by a Lambda. */
  public static publicAcm(scope: Construct, id: string, props: PublicCertificateProps): ServerCertificate {
    return new RotatedCertificate(scope, id, { names: [props.domainName, ...(props.alternativeNames ?? [])], minDaysLeft: props.minDaysLeft, issue: props });
  }

  /** An ACM certificate that is there already: exportable, or issued by ACM Private CA. */
  public static fromAcm(scope: Construct, id: string, props: ExistingCertificateProps): ServerCertificate {
    return new RotatedCertificate(scope, id, { names: props.names, minDaysLeft: props.minDaysLeft, certificateArn: props.certificateArn });
  }

  /** A secret that somebody else fills in. */
  public static fromSecret(scope: Construct, id: string, secret: ISecret): ServerCertificate {
    return new SuppliedCertificate(scope, id, secret);
  }

  /** The secret that the instances read. */
  public abstract readonly secret: ISecret;

  /** Allows reading the certificate and its key. */
  public grantRead(grantee: IGrantable): void {
    this.secret.grantRead(grantee);
  }

  /** Days until the certificate that was rotated last ends. */
  public metricDaysLeft(options?: MetricOptions): Metric {
    return new Metric({
      namespace: NAMESPACE,
      metricName: 'CertificateDaysLeft',
      dimensionsMap: { Secret: this.node.path },
      statistic: 'Minimum',
      period: Duration.days(1),
      ...options,
    });
  }
}

class SuppliedCertificate extends ServerCertificate {
  constructor(
    scope: Construct,
    id: string,
    public readonly secret: ISecret,
  ) {
    super(scope, id);
  }
}

interface RotatedProps extends RotationProps {
  readonly names: string[];
  readonly certificateArn?: string;
  readonly issue?: PublicCertificateProps;
}

class RotatedCertificate extends ServerCertificate {
  public readonly secret: Secret;

  constructor(scope: Construct, id: string, props: RotatedProps) {
    super(scope, id);
    const certificate = props.issue ? issue(this, props.issue) : Certificate.fromCertificateArn(this, 'Certificate', props.certificateArn!);
    const key = new Key(this, 'Key', { description: 'FTPS certificate and its private key', enableKeyRotation: true, removalPolicy: RemovalPolicy.RETAIN });
    this.secret = new Secret(this, 'Secret', {
      description: 'FTPS certificate, chain and private key; written by the rotation Lambda',
      encryptionKey: key,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    acknowledge(
      this.secret,
      'AwsSolutions-SMG4',
      'The rotation Lambda puts a new version in when ACM has renewed the certificate; ACM, not Secrets Manager, sets the time.',
    );
    const rotation = this.rotation(certificate, props);
    this.onlyTheLambdaWrites(rotation);
    this.schedule(rotation, certificate);
    this.alarms(rotation);
  }

  private rotation(certificate: ICertificate, { names, minDaysLeft = 1 }: RotatedProps): LambdaFn {
    const failures = new Queue(this, 'Failures', { encryption: QueueEncryption.KMS_MANAGED, enforceSSL: true, retentionPeriod: Duration.days(14) });
    acknowledge(failures, 'AwsSolutions-SQS3', 'This queue is itself the dead-letter queue of the rotation Lambda.');
    const logGroup = new LogGroup(this, 'RotationLogs', { retention: RetentionDays.ONE_YEAR, removalPolicy: RemovalPolicy.RETAIN });
    const role = new Role(this, 'RotationRole', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: 'Exports the FTPS certificate and puts it into its secret',
    });
    const rotation = new LambdaFn(this, 'Rotation', {
      description: 'Exports the certificate from ACM, checks it, and makes it current in Secrets Manager',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
      handler: 'index.handler',
      code: lambdaCode('certificate-rotation'),
      timeout: Duration.minutes(2),
      memorySize: 256,
      reservedConcurrentExecutions: 1, // two rotations at once would race for the staging label
      deadLetterQueue: failures,
      retryAttempts: 2,
      role,
      logGroup,
      environment: {
        CERTIFICATE_ARN: certificate.certificateArn,
        SECRET_ID: this.secret.secretArn,
        NAMES: names.join(','),
        MIN_DAYS_LEFT: String(minDaysLeft),
        METRIC_NAMESPACE: NAMESPACE,
        METRIC_SECRET: this.node.path,
      },
    });
    logGroup.grantWrite(role);
    role.addToPolicy(new PolicyStatement({ actions: ['acm:ExportCertificate', 'acm:DescribeCertificate'], resources: [certificate.certificateArn] }));
    role.addToPolicy(
      new PolicyStatement({
        actions: ['secretsmanager:GetSecretValue', 'secretsmanager:PutSecretValue', 'secretsmanager:DescribeSecret', 'secretsmanager:UpdateSecretVersionStage'],
        resources: [this.secret.secretArn],
      }),
    );
    this.secret.encryptionKey?.grantEncryptDecrypt(role);
    for (const action of ['kms:GenerateDataKey*', 'kms:ReEncrypt*'])
      acknowledge(
        role,
        `AwsSolutions-IAM5[Action::${action}]`,
        'The two variants of each KMS action that writing a secret needs, on the key of this certificate only.',
      );
    // First export at the first deployment: ACM renews only a certificate that was exported once.
    new Trigger(this, 'FirstExport', { handler: rotation, timeout: Duration.minutes(2), executeAfter: [this.secret, role] });
    return rotation;
  }

  /** Whatever else the account allows: nobody but the Lambda puts a certificate in. */
  private onlyTheLambdaWrites(rotation: LambdaFn): void {
    this.secret.addToResourcePolicy(
      new PolicyStatement({
        effect: Effect.DENY,
        principals: [new AnyPrincipal()],
        actions: ['secretsmanager:PutSecretValue', 'secretsmanager:UpdateSecret', 'secretsmanager:UpdateSecretVersionStage'],
        resources: ['*'], // in a resource policy this means the secret itself
        conditions: { ArnNotEquals: { 'aws:PrincipalArn': rotation.role!.roleArn } },
      }),
    );
  }

  /** ACM's events are best effort, so the Lambda also looks once a day. */
  private schedule(rotation: LambdaFn, certificate: ICertificate): void {
    const target = (reason: string) => new LambdaFunction(rotation, { event: RuleTargetInput.fromObject({ reason }), retryAttempts: 4 });
    new Rule(this, 'Renewed', {
      description: 'ACM has a new certificate, or says that one ends',
      eventPattern: {
        source: ['aws.acm'],
        detailType: ['ACM Certificate Available', 'ACM Certificate Approaching Expiration'],
        resources: [certificate.certificateArn],
      },
      targets: [target('event')],
    });
    new Rule(this, 'Daily', { description: 'Looks at the certificate once a day', schedule: Schedule.rate(Duration.days(1)), targets: [target('daily')] });
  }

  private alarms(rotation: LambdaFn): void {
    new Alarm(this, 'RotationFailed', {
      alarmDescription: 'The certificate could not be rotated; the last good one is still served. The log of the Lambda says why.',
      metric: rotation.metricErrors({ period: Duration.hours(1) }),
      threshold: 1,
      evaluationPeriods: 1,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
    for (const days of [30, 14, 7, 1])
      new Alarm(this, `DaysLeft${days}`, {
        alarmDescription: `The certificate lasts fewer than ${days} days`,
        metric: this.metricDaysLeft(),
        threshold: days,
        comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
        evaluationPeriods: 1,
        treatMissingData: TreatMissingData.BREACHING,
      });
  }
}

function issue(scope: Construct, { domainName, alternativeNames, hostedZone }: PublicCertificateProps): Certificate {
  return new Certificate(scope, 'Certificate', {
    domainName,
    subjectAlternativeNames: alternativeNames,
    validation: CertificateValidation.fromDns(hostedZone),
    allowExport: true,
  });
}
