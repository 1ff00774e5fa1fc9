import { App, Duration, Stack } from 'aws-cdk-lib';
import { SfnStateMachine } from 'aws-cdk-lib/aws-events-targets';
import { Code, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { BlockPublicAccess, Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Choice, Condition, DefinitionBody, JsonPath, StateMachine, Succeed, TaskInput } from 'aws-cdk-lib/aws-stepfunctions';
import { LambdaInvoke } from 'aws-cdk-lib/aws-stepfunctions-tasks';
import { FtpsService, S3Storage } from 'cdk-ftps';

const app = new App();
const stack = new Stack(app, 'Partners', { env: { region: 'eu-central-1', account: '111122223333' } });
const hostedZone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' });
const storage = new S3Storage(stack, 'Files');
const service = new FtpsService(stack, 'Ftps', { domainName: 'ftps.example.com', hostedZone, clientCidrs: ['203.0.113.0/24'], storage });

// What came is kept as it came, and what is in it goes on to whoever works with it.
const isPrivate = { blockPublicAccess: BlockPublicAccess.BLOCK_ALL, encryption: BucketEncryption.KMS, enforceSSL: true, versioned: true };
const archive = new Bucket(stack, 'Archive', isPrivate);
const inbox = new Bucket(stack, 'Inbox', isPrivate);
const pgpKey = Secret.fromSecretNameV2(stack, 'PgpKey', 'partners/pgp'); // {"privateKey": "-----BEGIN PGP PRIVATE KEY BLOCK-----…", "passphrase": "…"}

// `npm install --prefix steps` before, so that the folder has what its package.json names.
const steps = new LambdaFunction(stack, 'Steps', {
  runtime: Runtime.NODEJS_24_X,
  code: Code.fromAsset('steps'),
  handler: 'index.handler',
  memorySize: 1769,
  timeout: Duration.minutes(15),
  environment: { ARCHIVE: archive.bucketName, INBOX: inbox.bucketName, PGP_KEY: pgpKey.secretName },
});
storage.bucket.grantRead(steps);
storage.bucket.grantDelete(steps);
archive.grantReadWrite(steps);
inbox.grantReadWrite(steps);
pgpKey.grantRead(steps);

// An event may come twice, and Step Functions tries again what failed: each step may be repeated.
const step = (name: string) =>
  new LambdaInvoke(stack, name, {
    lambdaFunction: steps,
    payload: TaskInput.fromObject({ step: name, upload: JsonPath.objectAt('$.detail') }),
    resultPath: '$.done',
  });
const rest = step('decrypt').next(step('tag')).next(step('remove'));
const repeated = new Choice(stack, 'again?').when(Condition.booleanEquals('$.done.Payload.over', true), new Succeed(stack, 'done before')).otherwise(rest);
const machine = new StateMachine(stack, 'AfterUpload', { definitionBody: DefinitionBody.fromChainable(step('copy').next(repeated)), tracingEnabled: true });
service.onUploadReleased('Invoices', { accounts: ['acme'], prefix: '/invoices/', target: new SfnStateMachine(machine) });
