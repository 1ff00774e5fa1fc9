/** The instances: a launch template, and an Auto Scaling group that replaces them one after the other when something about them changes. */
import { Duration } from 'aws-cdk-lib';
import { AutoScalingGroup, GroupMetrics, InstanceRefreshStrategy, UpdatePolicy } from 'aws-cdk-lib/aws-autoscaling';
import {
  BlockDeviceVolume,
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
import { ManagedPolicy, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { acknowledge } from '../compliance/acknowledge';

export interface ServerFleetProps {
  readonly vpc: IVpc;
  /** @default - the subnets that the VPC chooses for instances */
  readonly vpcSubnets?: SubnetSelection;
  readonly securityGroup: ISecurityGroup;
  /** The image to start from. */
  readonly imageId: string;
  /** What an instance does when it starts. */
  readonly userData: UserData;
  /**
   * Instance type; its processor must be that of the image.
   * @default c7g.large
   */
  readonly instanceType?: string;
  /**
   * How many instances there are.
   * @default 1
   */
  readonly instances?: number;
  /**
   * Whether instances get a public address when they start.
   * @default true
   */
  readonly publicAddress?: boolean;
}

export class ServerFleet extends Construct implements IConnectable {
  public readonly connections: Connections;
  /** The instances' role. Grants go to it. */
  public readonly role: Role;
  public readonly autoScalingGroup: AutoScalingGroup;

  constructor(scope: Construct, id: string, props: ServerFleetProps) {
    super(scope, id);
    const instances = props.instances ?? 1;
    this.connections = new Connections({ securityGroups: [props.securityGroup] });
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('ec2.amazonaws.com'),
      description: 'FTPS instances',
      managedPolicies: [ManagedPolicy.fromAwsManagedPolicyName('AmazonSSMManagedInstanceCore')],
    });
    acknowledge(
      this.role,
      'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/AmazonSSMManagedInstanceCore]',
      'Session Manager takes the place of ssh and requires this policy of AWS.',
    );
    const volumeKey = new Key(this, 'VolumeKey', { description: 'Volumes of FTPS instances', enableKeyRotation: true });
    const launchTemplate = new LaunchTemplate(this, 'LaunchTemplate', {
      machineImage: builtImage(props.imageId, props.userData),
      instanceType: new InstanceType(props.instanceType ?? 'c7g.large'),
      role: this.role,
      securityGroup: props.securityGroup,
      userData: props.userData,
      associatePublicIpAddress: props.publicAddress ?? true,
      httpTokens: LaunchTemplateHttpTokens.REQUIRED,
      httpPutResponseHopLimit: 1,
      detailedMonitoring: true,
      blockDevices: [
        { deviceName: '/dev/xvda', volume: BlockDeviceVolume.ebs(20, { encrypted: true, kmsKey: volumeKey, volumeType: EbsDeviceVolumeType.GP3 }) },
      ],
    });
    this.autoScalingGroup = new AutoScalingGroup(this, 'Instances', {
      vpc: props.vpc,
      vpcSubnets: props.vpcSubnets,
      launchTemplate,
      minCapacity: instances,
      maxCapacity: instances,
      groupMetrics: [GroupMetrics.all()],
      // One goes before the next one comes, because each new instance takes over the address of one that went.
      updatePolicy: UpdatePolicy.instanceRefresh({
        strategy: InstanceRefreshStrategy.ROLLING,
        minHealthyPercentage: Math.floor((100 * (instances - 1)) / instances),
        maxHealthyPercentage: 100,
        instanceWarmup: Duration.minutes(2),
      }),
    });
    acknowledge(
      this.autoScalingGroup,
      'AwsSolutions-AS3',
      'What happens to the service is told by its own alarms; the group has a fixed size and replaces what fails.',
    );
  }
}

/** The image that Image Builder made, as the launch template wants it. */
function builtImage(imageId: string, userData: UserData): IMachineImage {
  return { getImage: () => ({ imageId, osType: OperatingSystemType.LINUX, userData }) };
}
