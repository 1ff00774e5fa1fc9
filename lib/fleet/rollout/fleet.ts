/** The Auto Scaling group, its launch template, and the refreshes that replace its instances. */
import {
  type AutoScalingClient,
  CancelInstanceRefreshCommand,
  DescribeAutoScalingGroupsCommand,
  type InstanceRefresh,
  type InstanceRefreshStatus,
  paginateDescribeInstanceRefreshes,
  StartInstanceRefreshCommand,
} from '@aws-sdk/client-auto-scaling';
import { CreateLaunchTemplateVersionCommand, DescribeLaunchTemplateVersionsCommand, type EC2Client } from '@aws-sdk/client-ec2';

export interface FleetSettings {
  readonly groupName: string;
  /** Alarms whose going off rolls a refresh back. */
  readonly alarms: readonly string[];
  readonly minHealthyPercentage: number;
  readonly warmupSeconds: number;
}

/** What the group starts its instances from. */
export interface LaunchVersion {
  readonly templateId: string;
  readonly version: string;
  readonly imageId: string;
  /** Whether an instance of it is in service. */
  readonly serves: boolean;
}

export interface Refresh {
  readonly status: InstanceRefreshStatus;
  /** The image that the refresh moves to; undefined where it was started by something else. */
  readonly imageId?: string;
}

/** States of a refresh that has not ended. */
const RUNNING: readonly InstanceRefreshStatus[] = ['Pending', 'InProgress', 'Cancelling', 'RollbackInProgress', 'Baking'];

export class Fleet {
  constructor(
    private readonly autoScaling: AutoScalingClient,
    private readonly ec2: EC2Client,
    private readonly settings: FleetSettings,
  ) {}

  /** Undefined where the group is not there yet, or empty of purpose. */
  async launches(): Promise<LaunchVersion | undefined> {
    const { AutoScalingGroups } = await this.autoScaling.send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [this.settings.groupName] }));
    const { LaunchTemplate: template, Instances = [] } = AutoScalingGroups?.[0] ?? {};
    if (!template?.LaunchTemplateId || !template.Version) return undefined;
    const version = await this.version(template.LaunchTemplateId, template.Version);
    const serves = Instances.some((one) => one.LifecycleState === 'InService' && one.LaunchTemplate?.Version === version.version);
    return { ...version, serves };
  }

  /** The newest refresh of the group, of those of the last six weeks: in which order they come, no page says. One that is about to begin has no time yet. */
  async lastRefresh(): Promise<Refresh | undefined> {
    const all: InstanceRefresh[] = [];
    for await (const { InstanceRefreshes = [] } of paginateDescribeInstanceRefreshes(
      { client: this.autoScaling },
      { AutoScalingGroupName: this.settings.groupName },
    ))
      all.push(...InstanceRefreshes);
    const began = ({ StartTime, EndTime, Status }: InstanceRefresh) =>
      (StartTime ?? EndTime)?.getTime() ?? (RUNNING.includes(Status!) ? Number.POSITIVE_INFINITY : 0);
    const [refresh] = all.sort((one, other) => (began(one) === began(other) ? 0 : began(other) - began(one)));
    if (!refresh?.Status) return undefined;
    const { LaunchTemplateId, Version } = refresh.DesiredConfiguration?.LaunchTemplate ?? {};
    return { status: refresh.Status, imageId: LaunchTemplateId && Version ? (await this.version(LaunchTemplateId, Version)).imageId : undefined };
  }

  static runs({ status }: Refresh): boolean {
    return RUNNING.includes(status);
  }

  /**
   * Begins to replace the instances one after the other by ones of this image. A desired configuration with a numbered version and an AMI
   * by its id is what makes rolling back possible (Auto Scaling user guide, "Undo changes with a rollback").
   */
  async refresh(from: Pick<LaunchVersion, 'templateId' | 'version'>, imageId: string): Promise<void> {
    const { templateId, version } = from;
    const { LaunchTemplateVersion } = await this.ec2.send(
      new CreateLaunchTemplateVersionCommand({
        LaunchTemplateId: templateId,
        SourceVersion: version,
        VersionDescription: `image ${imageId}`,
        LaunchTemplateData: { ImageId: imageId },
      }),
    );
    const { alarms, groupName, minHealthyPercentage, warmupSeconds } = this.settings;
    await this.autoScaling.send(
      new StartInstanceRefreshCommand({
        AutoScalingGroupName: groupName,
        Strategy: 'Rolling',
        DesiredConfiguration: { LaunchTemplate: { LaunchTemplateId: templateId, Version: String(LaunchTemplateVersion?.VersionNumber) } },
        Preferences: {
          AutoRollback: true,
          AlarmSpecification: { Alarms: [...alarms] },
          MinHealthyPercentage: minHealthyPercentage,
          MaxHealthyPercentage: 100,
          InstanceWarmup: warmupSeconds,
          // After the first instance there is time for the alarms to go off.
          CheckpointPercentages: [1, 100],
          CheckpointDelay: warmupSeconds * 2,
          SkipMatching: true,
        },
      }),
    );
  }

  /** Ends a refresh that is under way, so that a deployment can begin its own. Instances that are being replaced are waited for. False where it did not end in time. */
  async settle(deadline: number, pause: (milliseconds: number) => Promise<void>): Promise<boolean> {
    for (let asked = false; ; await pause(10_000)) {
      const last = await this.lastRefresh();
      if (!last || !Fleet.runs(last)) return true;
      if (Date.now() > deadline) return false;
      if (asked || last.status === 'Cancelling' || last.status === 'RollbackInProgress') continue;
      asked = true;
      await this.autoScaling.send(new CancelInstanceRefreshCommand({ AutoScalingGroupName: this.settings.groupName })).catch((error: Error) => {
        if (error.name !== 'ActiveInstanceRefreshNotFound' && error.name !== 'ActiveInstanceRefreshNotFoundFault') throw error;
      });
    }
  }

  private async version(LaunchTemplateId: string, Version: string): Promise<Omit<LaunchVersion, 'serves'>> {
    const { LaunchTemplateVersions } = await this.ec2.send(new DescribeLaunchTemplateVersionsCommand({ LaunchTemplateId, Versions: [Version] }));
    const found = LaunchTemplateVersions?.[0];
    return { templateId: LaunchTemplateId, version: String(found?.VersionNumber ?? Version), imageId: found?.LaunchTemplateData?.ImageId ?? '' };
  }
}
