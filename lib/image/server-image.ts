/** The image that instances start from: built by EC2 Image Builder, patched on a schedule, tried before it counts as good. */

import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Aspects, Aws, Duration, RemovalPolicy, Stack, Token } from 'aws-cdk-lib';
import type { ISecurityGroup, ISubnet } from 'aws-cdk-lib/aws-ec2';
import type { Schedule } from 'aws-cdk-lib/aws-events';
import { AccountPrincipal, InstanceProfile, ManagedPolicy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import {
  CfnComponent,
  CfnDistributionConfiguration,
  CfnImage,
  CfnImagePipeline,
  CfnImageRecipe,
  CfnInfrastructureConfiguration,
} from 'aws-cdk-lib/aws-imagebuilder';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Asset } from 'aws-cdk-lib/aws-s3-assets';
import { Construct, type IConstruct } from 'constructs';
import { serverBundleFolder } from '../bundles';
import { acknowledge } from '../compliance/acknowledge';
import { digest } from '../digest';
import { readingOf } from '../encryption/assets';
import { encryptBelow, givenKey } from '../encryption/given-key';
import { letUse } from '../encryption/key-policy';
import { volumeKey } from '../fleet/volume-key';
import { refuseUnknownProps } from '../known-props';
import { ofThisStack, stableName } from '../names';
import { logKey } from '../network/log-key';
import { fipsDocument, hardeningDocument, packagesDocument, serverDocument } from './hardening';
import type { ImageComponent } from './image-component';
import { IMAGE_TAG, ImageRetention } from './image-retention';
import { ImageWatch } from './image-watch';

/** Processor of the instances. */
export enum Processor {
  /** Graviton: more for the money. */
  ARM64 = 'arm64',
  X86_64 = 'x86_64',
}

/** What goes into an image, and where it goes. */
export interface ImageSettings {
  /**
   * Whether to apply AWS's STIG hardening component `stig-build-linux` at the level Medium.
   * @default true
   */
  readonly stig?: boolean;
  /**
   * Whether the image boots in FIPS mode (FIPS 140-3).
   * @default false
   */
  readonly fips?: boolean;
  /**
   * Whether Amazon Inspector looks for vulnerabilities while an image is built. Inspector must be switched on in the account, or no image is ever built.
   * @default false
   */
  readonly scan?: boolean;
  /**
   * Whether instances scan uploads by themselves. The image brings the signatures then, which the build fetches from the internet.
   * @default true; FtpsService: where `server.virusScan` asks for the scanner of the instances
   */
  readonly virusScanner?: boolean;
  /**
   * How many images are kept, the newest first; older ones are deregistered with their snapshots. At least 2, so that the one before can be gone back to.
   * @default 5
   */
  readonly keep?: number;
  /**
   * Accounts that may start instances from the images, and read their volumes by `volumeKey`.
   * @default - this account alone
   */
  readonly shareWithAccounts?: string[];
  /**
   * Further regions that the images are copied to.
   * @default - this region alone
   */
  readonly copyToRegions?: string[];
  /**
   * Components of your own, for agents that every machine of a company has, applied in this order behind those of the kit.
   * @default - none
   */
  readonly components?: ImageComponent[];
}

/** What `ServerImage` is told. */
export interface ServerImageProps extends ImageSettings {
  /**
   * Processor of the instances.
   * @default Processor.ARM64
   */
  readonly processor?: Processor;
  /**
   * When a new image is built, by `Schedule.cron`, in UTC. It brings every patch that is out by then.
   * @default - Sundays at 03:00
   */
  readonly schedule?: Schedule;
  /** Subnet in which images are built; it must reach the internet or the endpoints that stand for it. */
  readonly subnet: ISubnet;
  /** Security group of the machine that builds. */
  readonly securityGroup: ISecurityGroup;
  /**
   * Key that encrypts the images, and the logs of their builds.
   * @default - the one of what it lies in, or a new one
   */
  readonly encryptionKey?: IKey;
}

/** Where Image Builder runs its programs while it builds and tests. */
const WORKING_DIRECTORY = '/var/tmp';

/** Sunday at three in the morning. */
const DEFAULT_SCHEDULE = 'cron(0 3 ? * sun *)';

/** The image of the instances: Amazon Linux 2023, patched, hardened and tested by EC2 Image Builder, with the server in it. */
export class ServerImage extends Construct {
  /** The image that was built within the deployment. */
  public readonly imageId: string;
  /** SSM parameter that always names the newest good image. */
  public readonly parameterName: string;
  /** Name of the pipeline, and beginning of the names of all that it makes. */
  public readonly name: string;
  /** Processor that the image is for. */
  public readonly processor: Processor;
  /** Encrypts the images. */
  public readonly volumeKey: IKey;
  /** Beginning of the ARNs of the Image Builder images, for event rules. */
  public readonly imageArnPrefix: string;
  /** Beginning of the ARNs of those that have the server and the settings of this very deployment: the images of one recipe. */
  public readonly recipeArnPrefix: string;
  /** Alarms on failed builds and on vulnerabilities. */
  public readonly watch: ImageWatch;
  /** The server and its files as they go to the image. */
  public readonly asset: Asset;

  constructor(scope: Construct, id: string, props: ServerImageProps) {
    super(scope, id);
    refuseUnknownProps(props, 'ServerImageProps');
    encryptBelow(this, props.encryptionKey);
    this.processor = props.processor ?? Processor.ARM64;
    const schedule = props.schedule?.expressionString ?? DEFAULT_SCHEDULE;
    if (!/^cron\((\S+ ){5}\S+\)$/.test(schedule))
      throw new Error(`schedule: "${schedule}" is no time of a calendar; write it by Schedule.cron, or as Schedule.expression('${DEFAULT_SCHEDULE}')`);
    refuseWrongPlaces(props, Stack.of(this).region);
    if ((props.keep ?? 5) < 2) throw new Error(`keep: ${props.keep} leaves no image to go back to; keep at least 2`);
    const stack = Stack.of(this);
    const name = stableName(this).replaceAll('/', '-');
    this.name = name;
    const folder = serverBundleFolder();
    this.asset = new Asset(this, 'Server', { path: folder });

    const components = [
      this.component('Packages', packagesDocument()),
      this.component(
        'ServerFiles',
        serverDocument({ source: this.asset.s3ObjectUrl, files: hashesOf(folder), virusScanner: props.virusScanner ?? true }),
        hashOf(folder),
      ),
      this.component('Hardening', hardeningDocument()),
      ...(props.fips ? [this.component('Fips', fipsDocument())] : []),
    ];
    // The components with the level in their name know nothing of Amazon Linux 2023 (user guide, "STIG hardening components"). It comes first: what it
    // removes (nfs-utils, which the mount helper of EFS needs) is installed afterwards, and where both set something ours holds.
    const stig = {
      componentArn: stack.formatArn({ service: 'imagebuilder', account: 'aws', resource: 'component', resourceName: 'stig-build-linux/x.x.x' }),
      parameters: [{ name: 'Level', value: ['Medium'] }],
    };
    this.volumeKey = volumeKey(this, 'VolumeKey', { description: 'Volumes of FTPS images', removalPolicy: RemovalPolicy.RETAIN });
    for (const account of props.shareWithAccounts ?? []) this.letStartFrom(account);
    this.imageArnPrefix = stack.formatArn({ service: 'imagebuilder', resource: 'image', resourceName: `${name.toLowerCase()}-` });
    this.watch = new ImageWatch(this, 'Watch', { imageArnPrefix: this.imageArnPrefix });
    const own = props.components ?? [];
    // A recipe can't change under one version, so its name carries what it is made of.
    const recipeName = `${name}-${digest(
      components.map((component) => component.name),
      props.stig === false ? 'no STIG' : stig.parameters,
      WORKING_DIRECTORY,
      this.processor,
      ...own.map(({ _identity }) => _identity),
      ...this.keyInName(),
    )}`;
    this.recipeArnPrefix = stack.formatArn({ service: 'imagebuilder', resource: 'image', resourceName: `${recipeName.toLowerCase()}/` });
    const recipe = new CfnImageRecipe(this, 'Recipe', {
      name: recipeName,
      version: '1.0.0',
      parentImage: stack.formatArn({
        service: 'imagebuilder',
        account: 'aws',
        resource: 'image',
        resourceName: `amazon-linux-2023-${this.processor === Processor.ARM64 ? 'arm64' : 'x86'}/x.x.x`,
      }),
      components: [
        ...(props.stig === false ? [] : [stig]),
        ...components.map(({ attrArn }) => ({ componentArn: attrArn })),
        ...own.map((one) => one._bind(this)),
      ],
      // Its default is /tmp, from which the finished image runs nothing.
      workingDirectory: WORKING_DIRECTORY,
      blockDeviceMappings: [
        { deviceName: '/dev/xvda', ebs: { volumeType: 'gp3', volumeSize: 20, encrypted: true, kmsKeyId: this.volumeKey.keyArn, deleteOnTermination: true } },
      ],
      additionalInstanceConfiguration: { systemsManagerAgent: { uninstallAfterBuild: false } },
    });

    const role = new Role(this, 'BuildRole', {
      assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
      description: 'Machines that build FTPS images',
      managedPolicies: [
        ManagedPolicy.fromAwsManagedPolicyName('EC2InstanceProfileForImageBuilder'),
        ManagedPolicy.fromAwsManagedPolicyName('AmazonSSMManagedInstanceCore'),
      ],
    });
    for (const policy of ['EC2InstanceProfileForImageBuilder', 'AmazonSSMManagedInstanceCore'])
      acknowledge(
        role,
        `AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/${policy}]`,
        'Image Builder requires this policy of AWS on the machines it builds with (user guide, "Prerequisites"); they live for the build only.',
      );
    for (const statement of readingOf(this.asset)) role.addToPolicy(statement);
    const profile = new InstanceProfile(this, 'BuildProfile', { role });
    const infrastructure = new CfnInfrastructureConfiguration(this, 'Infrastructure', {
      name,
      instanceProfileName: profile.instanceProfileName,
      instanceTypes: [this.processor === Processor.ARM64 ? 't4g.medium' : 't3.medium'],
      instanceMetadataOptions: { httpTokens: 'required', httpPutResponseHopLimit: 1 },
      subnetId: props.subnet.subnetId,
      securityGroupIds: [props.securityGroup.securityGroupId],
      terminateInstanceOnFailure: true,
    });
    // The only names that the role of Image Builder may write (managed policy AWSServiceRoleForImageBuilder).
    this.parameterName = `/imagebuilder/${name}/image`;
    const distribution = new CfnDistributionConfiguration(this, 'Distribution', {
      name,
      distributions: [Aws.REGION, ...(props.copyToRegions ?? [])].map((region) => ({
        region,
        // Handed to CloudFormation as it stands, so the keys are CloudFormation's. A key of this region encrypts in this region only.
        amiDistributionConfiguration: {
          Name: `${name}-{{ imagebuilder:buildDate }}`,
          ...(region === Aws.REGION ? { KmsKeyId: this.volumeKey.keyArn } : {}),
          ...(props.shareWithAccounts?.length ? { LaunchPermissionConfiguration: { UserIds: props.shareWithAccounts } } : {}),
        },
        ssmParameterConfigurations: [{ parameterName: this.parameterName, dataType: 'aws:ec2:image' }],
      })),
    });
    // What the builds say, with the results of the checks. The role of Image Builder may write below this name alone.
    const logs = new LogGroup(this, 'Logs', {
      logGroupName: `/aws/imagebuilder/${name}-${ofThisStack(this)}`,
      encryptionKey: logKey(this, 'LogKey', 'Logs of FTPS image builds'),
      retention: RetentionDays.ONE_YEAR,
    });
    const tests = { imageTestsEnabled: true, timeoutMinutes: Duration.hours(1).toMinutes() };
    const common = {
      imageRecipeArn: recipe.attrArn,
      infrastructureConfigurationArn: infrastructure.attrArn,
      distributionConfigurationArn: distribution.attrArn,
      enhancedImageMetadataEnabled: true,
      imageTestsConfiguration: tests,
      imageScanningConfiguration: { imageScanningEnabled: props.scan ?? false },
    };
    new CfnImagePipeline(this, 'Pipeline', {
      name,
      ...common,
      schedule: { scheduleExpression: schedule, pipelineExecutionStartCondition: 'EXPRESSION_MATCH_ONLY' },
      status: 'ENABLED',
      loggingConfiguration: { imageLogGroupName: logs.logGroupName },
      imageTags: { [IMAGE_TAG]: name },
    });
    new ImageRetention(this, 'Retention', { name, keep: props.keep ?? 5 });
    // The first image is built within the deployment, so that a new environment has one to start from.
    this.imageId = new CfnImage(this, 'FirstImage', {
      ...common,
      loggingConfiguration: { logGroupName: logs.logGroupName },
      tags: { [IMAGE_TAG]: name },
    }).attrImageId;
    keepOwnTags(this);
  }

  /** What starting an instance from an encrypted image takes (EC2 user guide, "Share an AMI that's encrypted"). */
  private letStartFrom(account: string): void {
    const principals = [new AccountPrincipal(account)];
    letUse(
      this,
      this.volumeKey,
      `FtpsImagesOf${account}`,
      new PolicyStatement({
        principals,
        actions: ['kms:Decrypt', 'kms:DescribeKey', 'kms:ReEncryptFrom', 'kms:GenerateDataKeyWithoutPlaintext'],
        resources: ['*'],
      }), // in a key policy this means the key itself
    );
    // The same here; and only for what an AWS service does with the grant.
    letUse(
      this,
      this.volumeKey,
      `FtpsInstancesOf${account}`,
      new PolicyStatement({ principals, actions: ['kms:CreateGrant'], resources: ['*'], conditions: { Bool: { 'kms:GrantIsForAWSResource': 'true' } } }),
    );
  }

  /** A recipe names its key and can't change under its name. A key of the kit is for one service and stays. */
  private keyInName(): string[] {
    const key = givenKey(this);
    return key ? [JSON.stringify(Stack.of(this).resolve(key.keyArn))] : [];
  }

  private component(id: string, data: string, content = ''): CfnComponent {
    const name = `${stableName(this).replaceAll('/', '-')}-${id}-${digest(data.replaceAll(/\$\{Token\[[^\]]+\]\}/g, ''), content)}`;
    return new CfnComponent(this, id, { name, version: '1.0.0', platform: 'Linux', supportedOsVersions: ['Amazon Linux 2023'], data });
  }
}

/** Image Builder would refuse them, and KMS a principal that is no account, when the deployment is half done. */
function refuseWrongPlaces({ copyToRegions = [], shareWithAccounts = [] }: ImageSettings, own: string): void {
  const account = shareWithAccounts.find((one) => !Token.isUnresolved(one) && !/^\d{12}$/.test(one));
  if (account !== undefined) throw new Error(`shareWithAccounts: "${account}" is no account; write the twelve digits of its id, as 444455556666`);
  const known = copyToRegions.filter((one) => !Token.isUnresolved(one));
  const wrong = known.find((one) => !/^[a-z]{2,}(-[a-z]+)+-\d+$/.test(one));
  if (wrong !== undefined) throw new Error(`copyToRegions: "${wrong}" is no region; write it as eu-west-1`);
  const twice = known.find((one, index) => one === own || known.indexOf(one) !== index);
  if (twice !== undefined)
    throw new Error(`copyToRegions: ${twice} is ${twice === own ? 'where images are made, and they are there already' : 'named twice'}; leave it out`);
}

/** Files of the asset with their SHA-256, which the build checks before it installs anything. */
function hashesOf(folder: string): { name: string; sha256: string }[] {
  return readdirSync(folder)
    .sort()
    .map((name) => ({
      name,
      sha256: createHash('sha256')
        .update(readFileSync(join(folder, name)))
        .digest('hex'),
    }));
}

function hashOf(folder: string): string {
  return digest(...hashesOf(folder).map(({ name, sha256 }) => `${name} ${sha256}`));
}

/**
 * Components, recipes and the first image are replaced when a tag of theirs changes, and a new one of the same name can't be made beside the
 * old one. So a tag that is put on everything stays off them; the images of the pipeline and what they cost have it.
 */
function keepOwnTags(scope: IConstruct): void {
  const priority = 900; // after the aspects that put tags on, whose order on the tag itself is lower
  Aspects.of(scope).add(
    {
      visit(node) {
        if (!(node instanceof CfnComponent || node instanceof CfnImageRecipe || node instanceof CfnImage)) return;
        for (const key of Object.keys(node.tags.tagValues())) if (key !== IMAGE_TAG) node.tags.removeTag(key, priority);
      },
    },
    { priority },
  );
}
