/** The instances: a launch template, and an Auto Scaling group that replaces them one after the other when something about them changes. */

import { ArnFormat, Duration, Stack } from 'aws-cdk-lib';
import {
  AutoScalingGroup,
  type CfnAutoScalingGroup,
  GroupMetrics,
  HealthChecks,
  InstanceRefreshStrategy,
  PoolState,
  UpdatePolicy,
} from 'aws-cdk-lib/aws-autoscaling';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import {
  BlockDeviceVolume,
  type CfnLaunchTemplate,
  Connections,
  EbsDeviceVolumeType,
  type IConnectable,
  type IMachineImage,
  InstanceType,
  type ISecurityGroup,
  type IVpc,
  LaunchTemplate,
  LaunchTemplateHttpTokens,
  OperatingSystemType,
  type SubnetSelection,
  type UserData,
} from 'aws-cdk-lib/aws-ec2';
import { type IGrantable, type IPrincipal, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { drainProblem, START_SECONDS } from '../aws-limits';
import { acknowledge, acknowledgeRegulations, inFinding } from '../compliance/acknowledge';
import { encryptBelow } from '../encryption/given-key';
import { refuseUnknownProps } from '../known-props';
import { stableName } from '../names';
import { arePrivate, zonesOf } from '../network/subnets';
import { allowSystemsManager } from './systems-manager';
import { volumeKey } from './volume-key';

/** What `ServerFleet` is told. */
export interface ServerFleetProps {
  /** Network of the instances. */
  readonly vpc: IVpc;
  /**
   * Subnets of the instances.
   * @default - the subnets that the VPC chooses for instances
   */
  readonly vpcSubnets?: SubnetSelection;
  /** Which ports of the instances are open to whom. */
  readonly securityGroup: ISecurityGroup;
  /** The image to start from. */
  readonly imageId: string;
  /** What an instance does when it starts. */
  readonly userData: UserData;
  /**
   * Instance type; its processor must be that of the image.
   * @default - c7g.large
   */
  readonly instanceType?: InstanceType;
  /**
   * How many instances there are.
   * @default 1
   */
  readonly instances?: number;
  /**
   * Name of the group; the instances and what looks after them know it by this.
   * @default - the path of the construct
   */
  readonly groupName?: string;
  /**
   * Most instances that there may be; with more than `instances` the group grows by its traffic.
   * @default - as many as `instances`
   */
  readonly maxInstances?: number;
  /**
   * How long an instance may go on with its transfers when it is to be ended. The server is told the same.
   * @default Duration.minutes(5)
   */
  readonly drain?: Duration;
  /**
   * Instances that stand by, stopped, so that a new one is in service within a minute. They cost their disks.
   * @default 0
   */
  readonly warmInstances?: number;
  /**
   * Metrics of the instances every minute instead of every five.
   * @default true
   */
  readonly detailedMonitoring?: boolean;
  /**
   * Whether instances get a public address when they start, where their subnets are not known to be private: there it would lead nowhere.
   * @default true
   */
  readonly publicAddress?: boolean;
  /**
   * Whether instances have an IPv6 address as well; their subnets must have a range of IPv6.
   * @default false
   */
  readonly ipv6?: boolean;
  /**
   * Key that encrypts the disks.
   * @default - the one of what it lies in, or a new one
   */
  readonly encryptionKey?: IKey;
}

/** The instances: an Auto Scaling group over the zones, IMDSv2, encrypted disks, drained before they go, each with the least rights. */
export class ServerFleet extends Construct implements IConnectable, IGrantable {
  /** Which ports of the instances are open to whom. */
  public readonly connections: Connections;
  /** The instances' role. Grants go to it. */
  public readonly role: Role;
  /** The role of the instances, for grants of other constructs: `bucket.grantRead(fleet)`. */
  public readonly grantPrincipal: IPrincipal;
  /** The group itself. */
  public readonly autoScalingGroup: AutoScalingGroup;
  /** What an instance starts with. */
  public readonly launchTemplate: LaunchTemplate;
  /** Name of the group, known before it is made. */
  public readonly groupName: string;
  /** The availability zones in which instances may start, as far as they are known. */
  public readonly zones: string[];

  /** Name of the hook that an instance completes when it has drained. */
  public static readonly DRAIN_HOOK = 'ftps-drain';
  /** Name of the hook that an instance completes when it serves. */
  public static readonly LAUNCH_HOOK = 'ftps-launch';

  /** All but one, in percent: a single instance goes before its successor comes. */
  public static minHealthyPercentage(instances: number): number {
    return Math.floor((100 * (instances - 1)) / instances);
  }

  constructor(scope: Construct, id: string, props: ServerFleetProps) {
    super(scope, id);
    refuseUnknownProps(props, 'ServerFleetProps');
    encryptBelow(this, props.encryptionKey);
    const instances = props.instances ?? 1;
    const maxInstances = props.maxInstances ?? instances;
    if (maxInstances < instances) throw new Error(`maxInstances: ${maxInstances} are fewer than the ${instances} instances that there always are`);
    const drain = props.drain ?? Duration.minutes(5);
    const tooLong = drainProblem(drain.toSeconds());
    if (tooLong) throw new Error(`drain: ${tooLong}`);
    this.zones = zonesOf(props.vpc, props.vpcSubnets);
    this.groupName = props.groupName ?? stableName(this).replaceAll('/', '-');
    this.connections = new Connections({ securityGroups: [props.securityGroup] });
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
      description: 'FTPS instances',
    });
    this.grantPrincipal = this.role.grantPrincipal;
    this.allowLifecycle();
    allowSystemsManager(this.role);
    const kmsKey = volumeKey(this, 'VolumeKey', { description: 'Volumes of FTPS instances' });
    this.launchTemplate = new LaunchTemplate(this, 'LaunchTemplate', {
      machineImage: builtImage(props.imageId, props.userData),
      instanceType: props.instanceType ?? new InstanceType('c7g.large'),
      role: this.role,
      securityGroup: props.securityGroup,
      userData: props.userData,
      associatePublicIpAddress: (props.publicAddress ?? true) && !arePrivate(props.vpc, props.vpcSubnets),
      httpTokens: LaunchTemplateHttpTokens.REQUIRED,
      httpPutResponseHopLimit: 1,
      detailedMonitoring: props.detailedMonitoring ?? true,
      instanceMetadataTags: true, // an instance reads from its tags what it was given
      blockDevices: [{ deviceName: '/dev/xvda', volume: BlockDeviceVolume.ebs(20, { encrypted: true, kmsKey, volumeType: EbsDeviceVolumeType.GP3 }) }],
    });
    if (props.ipv6)
      (this.launchTemplate.node.defaultChild as CfnLaunchTemplate).addPropertyOverride('LaunchTemplateData.NetworkInterfaces.0.Ipv6AddressCount', 1);
    this.autoScalingGroup = new AutoScalingGroup(this, 'Instances', {
      vpc: props.vpc,
      vpcSubnets: props.vpcSubnets,
      launchTemplate: this.launchTemplate,
      autoScalingGroupName: this.groupName,
      minCapacity: instances,
      maxCapacity: maxInstances,
      // The server tells whether it is well: the instance's own check reports it (ftps-health.timer).
      healthChecks: HealthChecks.ec2({ gracePeriod: Duration.minutes(5) }),
      groupMetrics: [GroupMetrics.all()],
      // One goes before the next one comes, because each new instance takes over the address of one that went.
      updatePolicy: UpdatePolicy.instanceRefresh({
        strategy: InstanceRefreshStrategy.ROLLING,
        minHealthyPercentage: ServerFleet.minHealthyPercentage(instances),
        maxHealthyPercentage: 100,
        instanceWarmup: Duration.minutes(2),
      }),
    });
    this.addHooks(drain);
    this.node.addValidation({ validate: () => this.refusedTags() });
    if (props.warmInstances) this.autoScalingGroup.addWarmPool({ minSize: props.warmInstances, poolState: PoolState.STOPPED });
    if (maxInstances > instances) this.growByTraffic();
    acknowledge(
      this.autoScalingGroup,
      'AwsSolutions-AS3',
      'What happens to the service is told by its own alarms; the group has a fixed size and replaces what fails.',
    );
    acknowledgeRegulations(
      this.autoScalingGroup,
      'AutoScalingGroupELBHealthCheckRequired',
      'The server itself tells the group whether it is well, its accounts, storage and scanner included; a load balancer knows only whether a port answers.',
    );
  }

  /** Tags of instances that their metadata would refuse: no instance starts with one (EC2 user guide, "View tags for your EC2 instances using instance metadata"). */
  private refusedTags(): string[] {
    const group = this.autoScalingGroup.node.defaultChild as CfnAutoScalingGroup;
    const tags = (group.tags.renderTags() ?? []) as { key: string; propagateAtLaunch: boolean }[];
    const wrong = tags.filter(({ key, propagateAtLaunch }) => propagateAtLaunch && (!/^[\w+=.,:@-]+$/.test(key) || /^(\.|\.\.|_index)$/.test(key)));
    return wrong.map(
      ({ key }) =>
        `tags: "${key}" can't be a tag of an instance that reads its own tags, and no instance would start; use letters, digits and + - = . , _ : @, without spaces and slashes`,
    );
  }

  /** Hooks that are there before the first instance: one made beside the group would miss those that the group starts with. */
  private addHooks(drain: Duration): void {
    const hook = (lifecycleHookName: string, lifecycleTransition: string, heartbeat: Duration, defaultResult: string) => ({
      lifecycleHookName,
      lifecycleTransition,
      heartbeatTimeout: heartbeat.toSeconds(),
      defaultResult,
    });
    (this.autoScalingGroup.node.defaultChild as CfnAutoScalingGroup).lifecycleHookSpecificationList = [
      // An instance that does not come to serve is given up, so a bad image never replaces a good one. It may have to wait for the drain of another.
      hook(ServerFleet.LAUNCH_HOOK, 'autoscaling:EC2_INSTANCE_LAUNCHING', drain.plus(Duration.seconds(START_SECONDS)), 'ABANDON'),
      hook(ServerFleet.DRAIN_HOOK, 'autoscaling:EC2_INSTANCE_TERMINATING', drain.plus(Duration.minutes(2)), 'CONTINUE'),
    ];
  }

  /** ARN of the group, without the id that Auto Scaling puts before its name: known before the group is made. */
  public get groupArn(): string {
    return Stack.of(this).formatArn({
      service: 'autoscaling',
      resource: 'autoScalingGroup',
      resourceName: `*:autoScalingGroupName/${this.groupName}`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    });
  }

  /** Completing its own hooks and telling its own health: in this group, and no other. */
  private allowLifecycle(): void {
    this.role.addToPolicy(
      new PolicyStatement({ actions: ['autoscaling:CompleteLifecycleAction', 'autoscaling:SetInstanceHealth'], resources: [this.groupArn] }),
    );
    acknowledge(
      this.role,
      `AwsSolutions-IAM5[Resource::${inFinding(this, this.groupArn)}]`,
      'The wildcard stands for the id that Auto Scaling puts before the name of this one group.',
    );
  }

  /** Grows, as far as it may, when instances have more sessions each than half of what one lets in. */
  public scaleOnSessions(sessionsOfAnInstance: IMetric, limit: number): void {
    this.autoScalingGroup.scaleToTrackMetric('Sessions', { metric: sessionsOfAnInstance, targetValue: Math.max(1, Math.floor(limit / 2)) });
  }

  /** A file server is as busy as its network is. */
  private growByTraffic(): void {
    // Half of what a c7g.large keeps up all day (EC2 user guide, "Compute optimized instances": baseline 0.937 Gbit/s).
    const targetBytesPerSecond = 58_000_000;
    this.autoScalingGroup.scaleOnOutgoingBytes('Downloads', { targetBytesPerSecond, cooldown: Duration.minutes(5) });
    this.autoScalingGroup.scaleOnIncomingBytes('Uploads', { targetBytesPerSecond, cooldown: Duration.minutes(5) });
  }
}

/** The image that Image Builder made, as the launch template wants it. */
function builtImage(imageId: string, userData: UserData): IMachineImage {
  return { getImage: () => ({ imageId, osType: OperatingSystemType.LINUX, userData }) };
}
