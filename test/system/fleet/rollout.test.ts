/** The built roll-out Lambda, against moto's SSM, EC2 and Auto Scaling; instance refreshes, which moto does not have, are emulated in front of it. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { AutoScalingClient, CreateAutoScalingGroupCommand, UpdateAutoScalingGroupCommand } from '@aws-sdk/client-auto-scaling';
import { CreateLaunchTemplateCommand, CreateTagsCommand, DeregisterImageCommand, DescribeImagesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { GetParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import { awaitAnswers } from '../support/cloudformation';
import { type Moto, startMoto } from '../support/moto';

const BUILT = '/cdk-ftps/test/image';
const GOOD = '/cdk-ftps/test/good-image';
let moto: Moto;
let front: Server;
let autoScaling: AutoScalingClient;
let ec2: EC2Client;
let ssm: SSMClient;
let handler: (event?: unknown) => Promise<void>;
let templateId: string;
let images: string[];
/** What launch template versions were asked for. */
const versions: Record<string, string>[] = [];
/** The refreshes that were started, newest first. They are told the other way around, for no page says in which order Auto Scaling does. */
const refreshes: { status: string; version: string; request: URLSearchParams; started: Date }[] = [];
const BEGAN = Date.parse('2026-01-01T00:00:00Z');

/** What CloudFormation is doing. */
let stackStatus = 'UPDATE_COMPLETE';
/** What the Lambda told CloudWatch, newest last. */
const told: Record<string, number>[] = [];

/** The calls about refreshes and the state of the stack, as the API references have them; all else goes to moto. */
async function emulate(body: string): Promise<string | undefined> {
  const request = new URLSearchParams(body);
  const answer = (action: string, result: string) =>
    `<${action}Response xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/"><${action}Result>${result}</${action}Result></${action}Response>`;
  switch (request.get('Action')) {
    case 'StartInstanceRefresh':
      refreshes.unshift({
        status: 'InProgress',
        version: request.get('DesiredConfiguration.LaunchTemplate.Version')!,
        request,
        started: new Date(BEGAN + refreshes.length * 3_600_000),
      });
      return answer('StartInstanceRefresh', `<InstanceRefreshId>refresh-${refreshes.length}</InstanceRefreshId>`);
    case 'DescribeInstanceRefreshes':
      return answer(
        'DescribeInstanceRefreshes',
        `<InstanceRefreshes>${refreshes
          .toReversed()
          .map(
            ({ status, version, started }) =>
              `<member><Status>${status}</Status><StartTime>${started.toISOString()}</StartTime><DesiredConfiguration><LaunchTemplate><LaunchTemplateId>${templateId}</LaunchTemplateId><Version>${version}</Version></LaunchTemplate></DesiredConfiguration></member>`,
          )
          .join('')}</InstanceRefreshes>`,
      );
    case 'CancelInstanceRefresh':
      refreshes[0]!.status = 'Cancelled';
      return answer('CancelInstanceRefresh', `<InstanceRefreshId>refresh-${refreshes.length}</InstanceRefreshId>`);
    case 'DescribeStacks':
      return `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks><member><StackName>s</StackName><StackStatus>${stackStatus}</StackStatus><CreationTime>2026-01-01T00:00:00Z</CreationTime></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`;
    case 'CreateLaunchTemplateVersion':
      versions.push(Object.fromEntries(request));
      return undefined;
    default:
      return undefined;
  }
}

beforeAll(async () => {
  moto = await startMoto();
  [autoScaling, ec2, ssm] = [new AutoScalingClient({}), new EC2Client({}), new SSMClient({})];
  front = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body = Buffer.concat(chunks);
    const emulated = await emulate(body.toString());
    if (emulated !== undefined) return response.end(emulated);
    const { host: _h, connection: _c, 'content-length': _l, 'transfer-encoding': _t, expect: _e, ...headers } = request.headers;
    const answer = await fetch(`${moto.url}${request.url}`, { method: request.method, headers: headers as Record<string, string>, body });
    return response.writeHead(answer.status, { 'content-type': answer.headers.get('content-type') ?? '' }).end(Buffer.from(await answer.arrayBuffer()));
  });
  await new Promise<void>((resolve) => front.listen(0, '127.0.0.1', resolve));
  images = (await ec2.send(new DescribeImagesCommand({}))).Images!.map(({ ImageId }) => ImageId!).slice(0, 5);
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${(front.address() as AddressInfo).port}`,
    POWERTOOLS_LOG_LEVEL: 'SILENT',
    GROUP_NAME: 'fleet',
    BUILT_PARAMETER: BUILT,
    GOOD_PARAMETER: GOOD,
    ALARMS: '["attack","sick"]',
    MIN_HEALTHY: '50',
    STACK: 'arn:aws:cloudformation:eu-central-1:123456789012:stack/s/1',
    IN_SERVICE: 'cdk-ftps:in-service=test',
    METRIC_NAMESPACE: 'CdkFtps',
    METRIC_FLEET: 'fleet',
  });
  for (const [index, image] of images.entries()) await madeFrom(image, `server-1/1.0.0/${index + 1}`);
  const write = process.stdout.write.bind(process.stdout);
  jest.spyOn(process.stdout, 'write').mockImplementation(((line: string, ...more: never[]) => {
    if (!String(line).includes('"_aws"')) return write(line, ...more);
    told.push(JSON.parse(String(line)));
    return true;
  }) as never);
  ({ handler } = require(join(__dirname, '../../../dist/lambda/fleet-rollout/index.js')));
});
afterAll(async () => {
  front.closeAllConnections();
  front.close();
  await moto.stop();
});

const put = (Name: string, Value: string) => ssm.send(new PutParameterCommand({ Name, Value, Type: 'String', Overwrite: true }));
const good = () =>
  ssm.send(new GetParameterCommand({ Name: GOOD })).then(
    ({ Parameter }) => Parameter?.Value,
    () => undefined,
  );
const recipe = (name: string) => `arn:aws:imagebuilder:eu-central-1:123456789012:image/${name}/`;
/** The tag that Image Builder puts on an AMI. */
const madeFrom = (Resource: string, image: string) =>
  ec2.send(
    new CreateTagsCommand({
      Resources: [Resource],
      Tags: [{ Key: 'Ec2ImageBuilderArn', Value: `arn:aws:imagebuilder:eu-central-1:123456789012:image/${image}` }],
    }),
  );
/** The images that no lifecycle policy deletes. */
async function kept(): Promise<string[]> {
  const { Images } = await ec2.send(new DescribeImagesCommand({ Filters: [{ Name: 'tag:cdk-ftps:in-service', Values: ['test'] }] }));
  return Images!.map(({ ImageId }) => ImageId!).sort();
}

/** The refresh ends: where it succeeded, the group is saved with what it moved to. */
async function ends(status: string): Promise<void> {
  refreshes[0]!.status = status;
  if (status !== 'Successful') return;
  await launch(refreshes[0]!.version);
}

/** The group launches this version, and its instances are of it. */
async function launch(Version: string): Promise<void> {
  await autoScaling.send(new UpdateAutoScalingGroupCommand({ AutoScalingGroupName: 'fleet', LaunchTemplate: { LaunchTemplateId: templateId, Version } }));
  for (const DesiredCapacity of [0, 2])
    await autoScaling.send(new UpdateAutoScalingGroupCommand({ AutoScalingGroupName: 'fleet', MinSize: 0, DesiredCapacity }));
}

it('does nothing before there is a group, and nothing while the image in service is the newest', async () => {
  await handler();
  await put(BUILT, images[0]!);
  const { LaunchTemplate } = await ec2.send(
    new CreateLaunchTemplateCommand({
      LaunchTemplateName: 'fleet',
      LaunchTemplateData: { ImageId: images[0]!, InstanceType: 't4g.small', UserData: 'c2V0dGluZ3M=' },
    }),
  );
  templateId = LaunchTemplate!.LaunchTemplateId!;
  await autoScaling.send(
    new CreateAutoScalingGroupCommand({
      AutoScalingGroupName: 'fleet',
      LaunchTemplate: { LaunchTemplateId: templateId, Version: '1' },
      MinSize: 2,
      MaxSize: 2,
      AvailabilityZones: ['eu-central-1a'],
    }),
  );
  await handler();
  await handler();
  expect(refreshes).toEqual([]);
  expect(await good()).toBe(images[0]);
});

it('rolls a new image out once, however often it is told of it, with alarms that roll back', async () => {
  await put(BUILT, images[1]!);
  for (let times = 0; times < 3; times++) await handler({ 'detail-type': 'EC2 Image Builder Image State Change' });
  expect(refreshes).toHaveLength(1);
  const { request, version } = refreshes[0]!;
  expect(Object.fromEntries(request)).toMatchObject({
    AutoScalingGroupName: 'fleet',
    'Preferences.AutoRollback': 'true',
    'Preferences.AlarmSpecification.Alarms.member.1': 'attack',
    'Preferences.AlarmSpecification.Alarms.member.2': 'sick',
    'Preferences.MinHealthyPercentage': '50',
  });
  // The new version is the one in service but for the image. moto takes no notice of the source version.
  expect(versions).toEqual([expect.objectContaining({ LaunchTemplateId: templateId, SourceVersion: '1', 'LaunchTemplateData.ImageId': images[1] })]);
  expect(Object.keys(versions[0]!).filter((key) => key.startsWith('LaunchTemplateData.'))).toEqual(['LaunchTemplateData.ImageId']);
  expect(version).toBe('2');
  // It is not good before it has proved so.
  expect(await good()).toBe(images[0]);
  await ends('Successful');
  await handler({ 'detail-type': 'EC2 Auto Scaling Instance Refresh Succeeded' });
  expect(await good()).toBe(images[1]);
  expect(refreshes).toHaveLength(1);
});

it('never replaces a good image by one that failed, and takes the next one', async () => {
  await put(BUILT, images[2]!);
  await handler();
  expect(refreshes).toHaveLength(2);
  await ends('RollbackSuccessful');
  for (let times = 0; times < 3; times++) await handler();
  expect(refreshes).toHaveLength(2);
  expect(await good()).toBe(images[1]);

  await put(BUILT, images[0]!); // the next build
  await handler();
  expect(refreshes).toHaveLength(3);
  await ends('Successful');
  await handler();
  expect(await good()).toBe(images[0]);
});

it('tells when an image was taken back, and how old the one in service is', async () => {
  await put(BUILT, images[1]!);
  await handler();
  await ends('RollbackSuccessful');
  await handler();
  expect(told.at(-1)).toMatchObject({ Fleet: 'fleet', ImagesGivenUp: 1, ImageAgeDays: expect.any(Number) });
  await put(BUILT, images[0]!);
  await handler();
  expect(told.at(-1)).toMatchObject({ ImagesGivenUp: 0 });
});

it('keeps the image in service from being deleted, however many newer ones failed', async () => {
  await handler();
  expect(await kept()).toEqual([images[0]]);
});

describe('a deployment', () => {
  const asked = async (request: object): Promise<[string, string | undefined]> => {
    const stack = await awaitAnswers();
    await handler({ ...stack.request('Update'), ...request });
    stack.close();
    return [stack.answers[0]!.Status, stack.answers[0]!.Data?.ImageId];
  };
  const properties = (FirstImage: string, name = 'server-1') => ({ ResourceProperties: { FirstImage, Recipe: recipe(name) } });

  it('starts from the image of its server that proved good last', async () => {
    expect(await asked(properties(images[2]!))).toEqual(['SUCCESS', images[0]]);
  });

  it('that brings another server starts from the image that it has built, and goes back to the one before when it is rolled back', async () => {
    await madeFrom(images[3]!, 'server-2/1.0.0/1');
    expect(await asked(properties(images[3]!, 'server-2'))).toEqual(['SUCCESS', images[3]]);
    expect(await asked(properties(images[2]!))).toEqual(['SUCCESS', images[0]]);
  });

  it('is not disturbed: while it lasts, and for an image of another server, no refresh begins', async () => {
    const before = refreshes.length;
    await put(BUILT, images[3]!);
    await handler(); // the build of a deployment has ended before CloudFormation has changed the launch template
    stackStatus = 'UPDATE_IN_PROGRESS';
    await put(BUILT, images[1]!);
    await handler();
    stackStatus = 'UPDATE_COMPLETE';
    expect(refreshes).toHaveLength(before);
    expect(await good()).toBe(images[0]);
  });

  it('ends a refresh that is under way before it begins its own', async () => {
    await put(BUILT, images[4]!);
    await handler();
    expect(refreshes[0]!.status).toBe('InProgress');
    expect(await asked(properties(images[2]!))).toEqual(['SUCCESS', images[0]]);
    expect(refreshes[0]!.status).toBe('Cancelled');
  });

  it('whose refresh failed leaves the good image as it is', async () => {
    await handler();
    expect(await good()).toBe(images[0]);
  });

  it('starts from what is still there, and says so where nothing is', async () => {
    await put(GOOD, 'ami-gone');
    await ec2.send(new DeregisterImageCommand({ ImageId: images[0]! }));
    expect(await asked(properties(images[2]!))).toEqual(['SUCCESS', images[2]]);
    await ec2.send(new DeregisterImageCommand({ ImageId: images[2]! }));
    expect(await asked(properties(images[2]!))).toEqual(['SUCCESS', images[4]]); // the newest build
    await put(BUILT, 'ami-gone');
    expect(await asked(properties(images[2]!))).toEqual(['FAILED', undefined]);
  });

  it('that deletes the service leaves no parameter that names an image', async () => {
    expect(await asked({ ...properties(images[2]!), RequestType: 'Delete' })).toEqual(['SUCCESS', images[2]]);
    expect(await good()).toBeUndefined();
    await expect(ssm.send(new GetParameterCommand({ Name: BUILT }))).rejects.toThrow(/not found/);
    expect((await asked({ ...properties(images[2]!), RequestType: 'Delete' }))[0]).toBe('SUCCESS'); // and once more
  });
});
