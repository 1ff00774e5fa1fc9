/** From a commit to production: build and test, staging, a probe from outside, a person's word, production, a probe again. */
import { Duration, RemovalPolicy, type StackProps } from 'aws-cdk-lib';
import { BuildSpec, ComputeType, LinuxBuildImage } from 'aws-cdk-lib/aws-codebuild';
import { PipelineType } from 'aws-cdk-lib/aws-codepipeline';
import { SubnetType } from 'aws-cdk-lib/aws-ec2';
import { PolicyStatement, Role } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Bucket, BucketEncryption } from 'aws-cdk-lib/aws-s3';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { CodeBuildStep, CodePipeline, CodePipelineSource, type FileSet, ManualApprovalStep, type StageDeployment } from 'aws-cdk-lib/pipelines';
import type { Construct } from 'constructs';
import { Networks } from '../../server/config';
import { acknowledge, acknowledgeRegulations, acknowledgeWildcards } from '../compliance/acknowledge';
import { acknowledgeHouseRules } from '../compliance/house-rules';
import { encryptBelow, keyFor } from '../encryption/given-key';
import { letAccountsUse } from '../encryption/key-policy';
import { FtpsEnvironment } from '../environment';
import type { FtpsEnvironmentSettings } from '../environment-settings';
import { FtpsStage } from '../ftps-stage';
import { refuseUnknownProps } from '../known-props';
import { PassivePorts } from '../network/passive-ports';
import { accessLogsBucket, PRIVATE } from '../private-bucket';
import { openingsOfSettings } from '../protocols/all';
import { StackOfAnyZone } from '../stack-of-any-zone';
import type { FtpsStageParts } from '../stage-parts';
import { ProbeNetwork } from './probe-network';

/** How the pipeline looks at an environment from outside, with `ftps doctor`. */
export interface PipelineProbe {
  /** Allocation id of an Elastic IP in the account and region of the pipeline; the probe leaves by it. */
  readonly allocationId: string;
  /** Its address. Each environment's `clientCidrs` must let it in. */
  readonly address: string;
  /**
   * Names of secrets in the account of the pipeline, by the name of the environment: `{"user": "…", "password": "…"}` of an account that
   * may write, read and delete in its home. With it the probe also makes a round trip, over SFTP and HTTPS as well where they are on.
   * @default - the probe looks only at what can be seen without an account
   */
  readonly accounts?: { readonly [environment: string]: string };
}

/** What `FtpsPipeline` is told. */
export interface FtpsPipelineProps extends StackProps {
  /** The repository with the CDK app, as owner/name. */
  readonly repository: string;
  /**
   * Branch of the repository.
   * @default main
   */
  readonly branch?: string;
  /** ARN of the connection to the host of the repository (Developer Tools console user guide, "Create a connection"). */
  readonly connectionArn: string;
  /** Deployed first, and probed. */
  readonly staging: FtpsEnvironmentSettings;
  /** Deployed when a person has approved it, and probed. */
  readonly production: FtpsEnvironmentSettings;
  /**
   * What staging takes from elsewhere.
   * @default - everything is made anew
   */
  readonly stagingParts?: FtpsStageParts;
  /**
   * What production takes from elsewhere.
   * @default - everything is made anew
   */
  readonly productionParts?: FtpsStageParts;
  /** How staging is tried before production. */
  readonly probe: PipelineProbe;
  /**
   * What builds, tests and synthesizes; `cdk.out` and `dist` must be there afterwards.
   * @default - `npm ci`, `npm test`, the synthesis of this very app, `ftps evidence`
   */
  readonly buildCommands?: string[];
  /**
   * Who is told that an approval is asked for.
   * @default - nobody
   */
  readonly approvalTopic?: ITopic;
  /**
   * Key that encrypts the artifacts, and the flow logs of the probe. For environments in other regions, CDK Pipelines makes a key there.
   * @default - a new key for each
   */
  readonly encryptionKey?: IKey;
}

/** The app of the pipeline synthesizes itself; it is the one that makes this stack. */
const defaultCommands = (production: string) => [
  'npm ci',
  'npm test -- --json --outputFile=test-results.json',
  'npx cdk synth --quiet --app "npx tsx bin/cdk-ftps-pipeline.ts"',
  `node dist/image/ftps.js evidence --environment ${production} --tests test-results.json --output evidence`,
];

/** Brings the service from its repository to staging, probes it there as a partner would, and then to production. */
export class FtpsPipeline extends StackOfAnyZone {
  /** Where it is probed first. */
  public readonly staging: FtpsStage;
  /** What partners use. */
  public readonly production: FtpsStage;

  constructor(scope: Construct, id: string, props: FtpsPipelineProps) {
    super(scope, id, { terminationProtection: true, description: 'Promotes the FTPS service from staging to production', ...props });
    refuseUnknownProps({ ...props, staging: undefined, production: undefined }, 'FtpsPipelineProps'); // those two are checked with all that is wrong in them
    const { staging, production, probe } = props;
    refuseWrongSettings(props);
    encryptBelow(this, props.encryptionKey);
    const synth = new CodeBuildStep('Build', {
      input: CodePipelineSource.connection(props.repository, props.branch ?? 'main', { connectionArn: props.connectionArn }),
      commands: props.buildCommands ?? defaultCommands(production.name),
      primaryOutputDirectory: 'cdk.out',
      timeout: Duration.hours(1),
    });
    const program = synth.addOutputDirectory('dist');
    const pipeline = new CodePipeline(this, 'Pipeline', {
      synth,
      crossAccountKeys: true,
      enableKeyRotation: true,
      pipelineType: PipelineType.V2,
      artifactBucket: this.artifacts([staging, production].map(({ env }) => env!.account!)),
      codeBuildDefaults: {
        buildEnvironment: { buildImage: LinuxBuildImage.AMAZON_LINUX_2023_5, computeType: ComputeType.MEDIUM },
        partialBuildSpec: BuildSpec.fromObject({ phases: { install: { 'runtime-versions': { nodejs: 22 } } } }),
      },
    });
    const network = new ProbeNetwork(this, 'ProbeNetwork', { allocationId: probe.allocationId, ports: [...new Set([staging, production].flatMap(portsOf))] });
    // Below the app and not below this stack, so that an environment has the same names with the pipeline and without it.
    const app = this.node.root as Construct;
    this.staging = new FtpsStage(app, staging.name, { settings: staging, parts: props.stagingParts });
    this.production = new FtpsStage(app, production.name, { settings: production, parts: props.productionParts });
    const probed = (deployment: StageDeployment, settings: FtpsEnvironmentSettings) =>
      deployment.addPost(this.probe(settings, program, network, probe.accounts?.[settings.name]));
    probed(pipeline.addStage(this.staging), staging);
    const approval = new ManualApprovalStep(`Promote to ${production.name}`, {
      comment: `${staging.name} is deployed and passed its probe. Look at the evidence of the build and at the changes before you promote them to ${production.name}.`,
      notificationTopic: props.approvalTopic,
    });
    probed(pipeline.addStage(this.production, { pre: [approval] }), production);
    pipeline.buildPipeline();
    this.useConnection(props.connectionArn);
    this.accept(pipeline);
  }

  /** Looks at the service as a partner meets it; a problem stops the promotion. */
  private probe(settings: FtpsEnvironmentSettings, program: FileSet, network: ProbeNetwork, account: string | undefined): CodeBuildStep {
    const { explicitPort = 21, implicitPort = 990, passivePorts = PassivePorts.DEFAULT, sftp, https } = settings.server ?? {};
    const options = [
      `--explicit-port ${explicitPort}`,
      `--implicit-port ${implicitPort}`,
      `--passive-ports ${passivePorts}`,
      ...(sftp ? [`--sftp ${sftp.port ?? 22}`] : []),
      ...(https ? [`--https ${https.port ?? 443}`] : []),
    ];
    const secret = account === undefined ? undefined : Secret.fromSecretNameV2(this, `${settings.name}ProbeAccount`, account);
    const step = new CodeBuildStep(`Probe ${settings.name}`, {
      input: program,
      commands: secret
        ? [
            'set +x; umask 077; printf "%s\\n" "$PROBE_PASSWORD" > /tmp/password',
            `node image/ftps.js doctor ${settings.domainName} ${options.join(' ')} --user "$PROBE_USER" --password-file /tmp/password`,
          ]
        : [`node image/ftps.js doctor ${settings.domainName} ${options.join(' ')}`],
      vpc: network.vpc,
      subnetSelection: { subnetType: SubnetType.PRIVATE_WITH_EGRESS },
      securityGroups: [network.securityGroup],
      partialBuildSpec: BuildSpec.fromObject({
        phases: { install: { 'runtime-versions': { nodejs: 22 } } },
        ...(account === undefined ? {} : { env: { 'secrets-manager': { PROBE_USER: `${account}:user`, PROBE_PASSWORD: `${account}:password` } } }),
      }),
      // CodeBuild reads them as the project (CodeBuild user guide, "Build specification reference for CodeBuild", env/secrets-manager).
      rolePolicyStatements: secret ? [new PolicyStatement({ actions: ['secretsmanager:GetSecretValue'], resources: [`${secret.secretArn}-??????`] })] : [],
      timeout: Duration.minutes(15),
    });
    return step;
  }

  /** CDK writes the action by the old name of the service, which counts for connections of that name alone (Developer Tools console user guide, "AWS CodeConnections rename"). */
  private useConnection(connectionArn: string): void {
    const source = this.node.findAll().find((one): one is Role => one instanceof Role && /\/Source\/.*\/CodePipelineActionRole$/.test(one.node.path))!;
    source.addToPolicy(new PolicyStatement({ actions: ['codeconnections:UseConnection'], resources: [connectionArn] }));
  }

  private artifacts(accounts: string[]): Bucket {
    const encryptionKey = keyFor(this, 'ArtifactKey', { description: 'Artifacts of the FTPS pipeline', removalPolicy: RemovalPolicy.RETAIN });
    // Roles of the CDK's bootstrap deploy from it in other accounts, and CodeBuild uses the key by itself.
    letAccountsUse(this, encryptionKey, 'FtpsArtifacts', [this.account, ...accounts]);
    const removalPolicy = RemovalPolicy.RETAIN;
    const lifecycleRules = [{ expiration: Duration.days(365), noncurrentVersionExpiration: Duration.days(1) }];
    const circle = 'This bucket holds the access logs of the artifacts; logging its own access would go in a circle.';
    const accessLogs = accessLogsBucket(this, 'ArtifactAccessLogs', { lifecycleRules, removalPolicy }, circle);
    return new Bucket(this, 'Artifacts', {
      ...PRIVATE,
      removalPolicy,
      encryption: BucketEncryption.KMS,
      encryptionKey,
      serverAccessLogsBucket: accessLogs,
      lifecycleRules: [{ expiration: Duration.days(90), noncurrentVersionExpiration: Duration.days(30) }],
    });
  }

  /** What CDK Pipelines makes, in this stack and in the ones it keeps artifacts of other regions in. */
  private accept(pipeline: CodePipeline): void {
    const support = Object.values(pipeline.pipeline.crossRegionSupport).map(({ stack }) => stack);
    acknowledgeRegulations(
      pipeline,
      'CodeBuildProjectSourceRepoUrl',
      'The source of each project is the pipeline, which has the repository by a connection; no project names a repository or a credential.',
    );
    for (const stack of support) {
      const copies = 'It holds copies of the artifacts for the deployments in this region; the bucket they come from is versioned and logs its access.';
      acknowledge(stack, 'AwsSolutions-S1', copies);
      for (const rule of ['S3BucketLoggingEnabled', 'S3BucketVersioningEnabled']) acknowledgeRegulations(stack, rule, copies);
    }
    for (const scope of [this, ...support]) {
      acknowledgeHouseRules(scope);
      acknowledgeWildcards(
        scope,
        'CDK Pipelines names its own projects, report groups and artifacts by patterns; each role reaches those of this pipeline only, and deploys by assuming the roles of the CDK bootstrap.',
      );
    }
  }
}

function portsOf({ server = {} }: FtpsEnvironmentSettings): string[] {
  return openingsOfSettings(server).map(({ low, high }) => `${low}-${high}`);
}

function refuseWrongSettings({ staging, production, probe, repository, connectionArn }: FtpsPipelineProps): void {
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository)) throw new Error(`repository: "${repository}" is wrong; write owner/name`);
  if (!connectionArn.startsWith('arn:')) throw new Error(`connectionArn: "${connectionArn}" is no ARN`);
  for (const [key, settings] of Object.entries({ staging, production })) {
    FtpsEnvironment.check(settings);
    for (const part of ['account', 'region'] as const)
      if (!settings.env?.[part]) throw new Error(`${key}.env.${part}: is missing; a pipeline has to know where it deploys to`);
    if (!new Networks(settings.clientCidrs).contains(probe.address))
      throw new Error(`${key}.clientCidrs: lets the probe's address ${probe.address} not in; add "${probe.address}/32"`);
  }
  if (staging.name === production.name) throw new Error(`production.name: "${production.name}" is also the name of staging; give each its own`);
}
