/** Brings each new image to the instances, one after the other, and back where an alarm goes off. */

import { type CfnElement, CustomResource, Duration, Lazy, Stack } from 'aws-cdk-lib';
import { Alarm, ComparisonOperator, type IAlarm, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { Rule, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import { Policy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { acknowledge, inFinding } from '../compliance/acknowledge';
import { digest } from '../digest';
import { encryptBelow } from '../encryption/given-key';
import { ServiceFunction } from '../functions/service-function';
import { IN_SERVICE_TAG } from '../image/image-retention';
import type { ServerImage } from '../image/server-image';
import { refuseUnknownProps } from '../known-props';
import { stableName } from '../names';
import { NAMESPACE } from '../observability/namespace';
import type { ServerFleet } from './server-fleet';

/** What `ImageRollout` is told. */
export interface ImageRolloutProps {
  /** Whose new images are rolled out. */
  readonly image: ServerImage;
  /** Name of the Auto Scaling group. */
  readonly groupName: string;
  /** How many of the instances must be well throughout, in percent. */
  readonly minHealthyPercentage: number;
  /**
   * Key that encrypts what the roll-out says, and what it failed at.
   * @default - the one of what it lies in, or those of the services
   */
  readonly encryptionKey?: IKey;
}

/** Brings new images to the instances one after the other, while transfers drain, and goes back when alarms go off. */
export class ImageRollout extends Construct {
  /** Goes off when a new image can't be rolled out. */
  public readonly failedAlarm: Alarm;
  /** Goes off when a new image was rolled back; the one before stays in service. */
  public readonly givenUpAlarm: Alarm;
  /** Goes off when the image in service is older than a month. */
  public readonly oldImageAlarm: Alarm;
  private readonly image: ServerImage;
  private readonly lambda: ServiceFunction;
  private readonly alarms: IAlarm[] = [];
  private fleet?: ServerFleet;

  constructor(scope: Construct, id: string, props: ImageRolloutProps) {
    super(scope, id);
    refuseUnknownProps(props, 'ImageRolloutProps');
    encryptBelow(this, props.encryptionKey);
    const { image, groupName, minHealthyPercentage } = props;
    this.image = image;
    const stack = Stack.of(this);
    const goodParameter = `/cdk-ftps/${stableName(this)}/good-image`;
    const parameter = (name: string) => stack.formatArn({ service: 'ssm', resource: 'parameter', resourceName: name.slice(1) });
    const anyImage = stack.formatArn({ service: 'ec2', account: '', resource: 'image', resourceName: '*' });
    this.lambda = new ServiceFunction(this, 'Lambda', {
      bundle: 'fleet-rollout',
      // A deployment waits until a refresh that is under way has ended, and with it the drain of an instance.
      timeout: Duration.minutes(15),
      description: 'Brings new FTPS images to the instances',
      alone: true,
      environment: {
        GROUP_NAME: groupName,
        BUILT_PARAMETER: image.parameterName,
        GOOD_PARAMETER: goodParameter,
        MIN_HEALTHY: String(minHealthyPercentage),
        STACK: stack.stackId,
        IN_SERVICE: `${IN_SERVICE_TAG}=${image.name}`,
        METRIC_NAMESPACE: NAMESPACE,
        METRIC_FLEET: groupName,
        ALARMS: Lazy.string({ produce: () => stack.toJsonString(this.alarms.map(({ alarmName }) => alarmName)) }),
      },
      permissions: [
        new PolicyStatement({ actions: ['ssm:GetParameter'], resources: [parameter(image.parameterName), parameter(goodParameter)] }),
        new PolicyStatement({ actions: ['ssm:PutParameter'], resources: [parameter(goodParameter)] }),
        // When the service is deleted: the next one of its name would find images in them that are gone.
        new PolicyStatement({ actions: ['ssm:DeleteParameter'], resources: [parameter(image.parameterName), parameter(goodParameter)] }),
        new PolicyStatement({ actions: ['cloudformation:DescribeStacks'], resources: [stack.stackId] }),
        new PolicyStatement({
          actions: ['ec2:CreateTags', 'ec2:DeleteTags'],
          resources: [anyImage],
          conditions: {
            StringLike: { 'aws:ResourceTag/Ec2ImageBuilderArn': `${image.imageArnPrefix}*` },
            'ForAllValues:StringEquals': { 'aws:TagKeys': [IN_SERVICE_TAG] },
          },
        }),
        // A parameter of the type of an image is checked when it is written.
        new PolicyStatement({
          actions: [
            'ec2:DescribeImages',
            'ec2:DescribeLaunchTemplateVersions',
            'autoscaling:DescribeAutoScalingGroups',
            'autoscaling:DescribeInstanceRefreshes',
            // Whoever starts a refresh with alarms must see them (Auto Scaling user guide, "Start an instance refresh with auto rollback").
            'cloudwatch:DescribeAlarms',
          ],
          resources: ['*'], // these calls only describe, and know no resources
        }),
      ],
    });
    acknowledge(
      this.lambda.role,
      'AwsSolutions-IAM5[Resource::*]',
      'These calls only describe, and EC2 and Auto Scaling know no resources for them (Service Authorization Reference).',
    );
    acknowledge(
      this.lambda.role,
      `AwsSolutions-IAM5[Resource::${inFinding(this, anyImage)}]`,
      'The ids of images are not known before they are built; the conditions limit this to the images of this service, and to one tag.',
    );
    this.failedAlarm = this.lambda.failedAlarm;
    this.givenUpAlarm = this.alarmOn(
      'GivenUp',
      this.metric('ImagesGivenUp', groupName),
      1,
      'A new FTPS image was taken back from the instances, which go on with the one before; it is not tried again. The activity history of the Auto Scaling group and the audit say why.',
    );
    this.oldImageAlarm = this.alarmOn(
      'OldImage',
      this.metric('ImageAgeDays', groupName),
      OLD_DAYS,
      `The image of the FTPS instances is older than ${OLD_DAYS} days, so patches of a month are missing (PCI DSS 4.0, 6.3.3). The alarms on its builds and on its roll-out say why.`,
    );
    const targets = [new LambdaFunction(this.lambda.lambda, { retryAttempts: 4 })];
    new Rule(this, 'Built', {
      description: 'A new FTPS image is there',
      eventPattern: {
        source: ['aws.imagebuilder'],
        detailType: ['EC2 Image Builder Image State Change'],
        resources: [{ prefix: image.imageArnPrefix }] as unknown as string[],
        detail: { state: { status: ['AVAILABLE'] } },
      },
      targets,
    });
    new Rule(this, 'Refreshed', {
      description: 'A refresh of the FTPS instances has ended',
      eventPattern: {
        source: ['aws.autoscaling'],
        detailType: [
          'EC2 Auto Scaling Instance Refresh Succeeded',
          'EC2 Auto Scaling Instance Refresh Failed',
          'EC2 Auto Scaling Instance Refresh Cancelled',
          'EC2 Auto Scaling Instance Refresh Rollback Succeeded',
        ],
        detail: { AutoScalingGroupName: [groupName] },
      },
      targets,
    });
    new Rule(this, 'Daily', { description: 'Looks for a new FTPS image, whatever events came', schedule: Schedule.rate(Duration.days(1)), targets });
  }

  /**
   * The image to start instances from: the last one of this deployment's server that proved good in service; before that, the one that the
   * deployment built. It is asked for whenever anything about launch template or group changes: CloudFormation would otherwise go back to the
   * image that it knows, which has long been deleted.
   */
  public imageToStartFrom(): string {
    const newest = new CustomResource(this, 'GoodImage', {
      serviceToken: this.lambda.lambda.functionArn,
      properties: {
        FirstImage: this.image.imageId,
        Recipe: this.image.recipeArnPrefix,
        Settings: Lazy.string({ produce: () => this.settings() }),
      },
    });
    newest.node.addDependency(this.lambda);
    return newest.getAttString('ImageId');
  }

  /** Stands for all that CloudFormation knows of launch template and group. */
  private settings(): string {
    const parts = [this.fleet?.launchTemplate.node.defaultChild, this.fleet?.autoScalingGroup.node.defaultChild] as (CfnElement | undefined)[];
    return digest(parts.map((part) => part && Stack.of(this).resolve((part as unknown as Rendered)._toCloudFormation())));
  }

  /** Allows replacing these instances, and watches these alarms meanwhile: one that goes off rolls back. */
  public connect(fleet: ServerFleet, alarms: IAlarm[]): void {
    this.alarms.push(...alarms);
    this.fleet = fleet;
    const stack = Stack.of(this);
    const template = stack.formatArn({ service: 'ec2', resource: 'launch-template', resourceName: fleet.launchTemplate.launchTemplateId });
    // A policy of its own: the launch template waits for the image, which the Lambda tells, so its role can't wait for the template.
    const policy = new Policy(this, 'Refresh', {
      roles: [this.lambda.role],
      statements: [
        new PolicyStatement({ actions: ['autoscaling:StartInstanceRefresh', 'autoscaling:CancelInstanceRefresh'], resources: [fleet.groupArn] }),
        new PolicyStatement({ actions: ['ec2:CreateLaunchTemplateVersion'], resources: [template] }),
        // Auto Scaling checks that whoever names a launch template could start an instance from it (Auto Scaling user guide, "Control Amazon EC2 launch template usage").
        new PolicyStatement({ actions: ['ec2:RunInstances'], resources: ['*'], conditions: { ArnEquals: { 'ec2:LaunchTemplate': template } } }),
        // What is being started has no id yet.
        new PolicyStatement({ actions: ['ec2:CreateTags'], resources: ['*'], conditions: { StringEquals: { 'ec2:CreateAction': 'RunInstances' } } }),
        new PolicyStatement({
          actions: ['iam:PassRole'],
          resources: [fleet.role.roleArn],
          conditions: { StringEquals: { 'iam:PassedToService': 'ec2.amazonaws.com' } },
        }),
      ],
    });
    acknowledge(
      policy,
      'AwsSolutions-IAM5[Resource::*]',
      'Starting an instance touches images, networks, volumes and interfaces whose ids are not known; the condition limits it to the launch template of the fleet, and tags to what is being started.',
    );
    acknowledge(
      policy,
      `AwsSolutions-IAM5[Resource::${inFinding(this, fleet.groupArn)}]`,
      'The wildcard stands for the id that Auto Scaling puts before the name of this one group.',
    );
  }

  private metric(metricName: string, groupName: string): Metric {
    return new Metric({ namespace: NAMESPACE, metricName, dimensionsMap: { Fleet: groupName }, statistic: 'Maximum', period: Duration.days(1) });
  }

  private alarmOn(id: string, metric: Metric, threshold: number, alarmDescription: string): Alarm {
    return new Alarm(this, id, {
      alarmDescription,
      metric,
      threshold,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: TreatMissingData.NOT_BREACHING,
    });
  }
}

/** Age at which an image is alarming. PCI DSS 4.0, 6.3.3: critical patches within a month. */
const OLD_DAYS = 30;

/** What every element of a template can do, though the CDK says so to itself alone. */
interface Rendered {
  _toCloudFormation(): object;
}
