/** What the trial asks the account: resources of its stacks, builds, refreshes, and what is left at the end. */
import { AutoScalingClient, DescribeAutoScalingGroupsCommand, DescribeInstanceRefreshesCommand } from '@aws-sdk/client-auto-scaling';
import { CloudFormationClient, paginateDescribeStacks, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import { CloudWatchLogsClient, paginateDescribeLogGroups } from '@aws-sdk/client-cloudwatch-logs';
import { DescribeAddressesCommand, DescribeImagesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { GetImageCommand, ImagebuilderClient, StartImagePipelineExecutionCommand } from '@aws-sdk/client-imagebuilder';
import { ListResourceRecordSetsCommand, Route53Client } from '@aws-sdk/client-route-53';
import { paginateListSecrets, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { paginateDescribeParameters, SSMClient } from '@aws-sdk/client-ssm';

export interface StackFacts {
  readonly outputs: ReadonlyMap<string, string>;
  /** Physical ids by resource type. */
  readonly resources: ReadonlyMap<string, readonly string[]>;
}

export async function factsOf(names: readonly string[]): Promise<StackFacts> {
  const client = new CloudFormationClient({});
  const outputs = new Map<string, string>();
  const resources = new Map<string, string[]>();
  for (const StackName of names) {
    for await (const { Stacks = [] } of paginateDescribeStacks({ client }, { StackName }))
      for (const { OutputKey = '', OutputValue = '' } of Stacks.flatMap(({ Outputs = [] }) => Outputs)) outputs.set(OutputKey, OutputValue);
    for await (const { StackResourceSummaries = [] } of paginateListStackResources({ client }, { StackName }))
      for (const { ResourceType = '', PhysicalResourceId = '' } of StackResourceSummaries)
        resources.set(ResourceType, [...(resources.get(ResourceType) ?? []), PhysicalResourceId]);
  }
  return { outputs, resources };
}

export const startBuild = async (imagePipelineArn: string): Promise<string> =>
  (await new ImagebuilderClient({}).send(new StartImagePipelineExecutionCommand({ imagePipelineArn }))).imageBuildVersionArn!;

export interface Build {
  readonly status: string;
  readonly reason: string;
  readonly ami: string | undefined;
}

export async function buildOf(imageBuildVersionArn: string): Promise<Build> {
  const { image } = await new ImagebuilderClient({}).send(new GetImageCommand({ imageBuildVersionArn }));
  return { status: image?.state?.status ?? 'UNKNOWN', reason: image?.state?.reason ?? '', ami: image?.outputResources?.amis?.[0]?.image };
}

/** The newest refresh of a group, and the images that its instances run. */
export async function fleetOf(AutoScalingGroupName: string): Promise<{ readonly refresh: string; readonly reason: string; readonly instances: number }> {
  const client = new AutoScalingClient({});
  const { InstanceRefreshes = [] } = await client.send(new DescribeInstanceRefreshesCommand({ AutoScalingGroupName, MaxRecords: 1 }));
  const { AutoScalingGroups = [] } = await client.send(new DescribeAutoScalingGroupsCommand({ AutoScalingGroupNames: [AutoScalingGroupName] }));
  return {
    refresh: InstanceRefreshes[0]?.Status ?? 'none',
    reason: InstanceRefreshes[0]?.StatusReason ?? '',
    instances: AutoScalingGroups[0]?.Instances?.length ?? 0,
  };
}

/** What bears the name of the trial when all is over, and what it costs or hinders. */
export async function leftBehind(name: string, host: string, zoneId: string): Promise<string[]> {
  const left: string[] = [];
  const bears = new RegExp(`(^|[/-])ftps-${name}(-data)?([/-]|$)`);
  for await (const { logGroups = [] } of paginateDescribeLogGroups({ client: new CloudWatchLogsClient({}) }, {}))
    for (const { logGroupName = '' } of logGroups) if (bears.test(logGroupName)) left.push(`log group ${logGroupName}`);
  for await (const { SecretList = [] } of paginateListSecrets(
    { client: new SecretsManagerClient({}) },
    { Filters: [{ Key: 'name', Values: [`ftps-${name}`] }] },
  ))
    for (const { Name } of SecretList) left.push(`secret ${Name}, 0.40 USD a month`);
  for await (const { Parameters = [] } of paginateDescribeParameters({ client: new SSMClient({}) }, {}))
    for (const { Name = '' } of Parameters) if (bears.test(Name)) left.push(`parameter ${Name}`);
  const ec2 = new EC2Client({});
  const { Images = [] } = await ec2.send(
    new DescribeImagesCommand({ Owners: ['self'], Filters: [{ Name: 'tag:cdk-ftps:image', Values: [`ftps-${name}-*`] }] }),
  );
  for (const { ImageId } of Images) left.push(`image ${ImageId} and its snapshot, about 0.20 USD a month`);
  const { Addresses = [] } = await ec2.send(new DescribeAddressesCommand({ Filters: [{ Name: 'tag:environment', Values: [name] }] }));
  for (const { PublicIp } of Addresses) left.push(`address ${PublicIp}, 3.65 USD a month`);
  const { ResourceRecordSets = [] } = await new Route53Client({}).send(
    new ListResourceRecordSetsCommand({ HostedZoneId: zoneId, StartRecordName: host, MaxItems: 20 }),
  );
  for (const { Name, Type } of ResourceRecordSets) if (Name?.replace(/\.$/, '') === host) left.push(`record ${Name} ${Type}`);
  return left;
}
