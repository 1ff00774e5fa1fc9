/** The built roll-out Lambda, against moto's SSM, EC2 and Auto Scaling; instance refreshes, which moto does not have, are emulated in front of it. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { AutoScalingClient, CreateAutoScalingGroupCommand, UpdateAutoScalingGroupCommand } from '@aws-sdk/client-auto-scaling';
import { CreateLaunchTemplateCommand, DescribeImagesCommand, EC2Client } from '@aws-sdk/client-ec2';
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
/** The refreshes that were started, newest first. */
const refreshes: { status: string; version: string; request: URLSearchParams }[] = [];

/** The two calls about refreshes, as the API reference of Auto Scaling has them; all else goes to moto. */
async function emulate(body: string): Promise<string | undefined> {
  const request = new URLSearchParams(body);
  const answer = (action: string, result: string) =>
    `<${action}Response xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/"><${action}Result>${result}</${action}Result></${action}Response>`;
  switch (request.get('Action')) {
    case 'StartInstanceRefresh':
      refreshes.unshift({ status: 'InProgress', version: request.get('DesiredConfiguration.LaunchTemplate.Version')!, request });
      return answer('StartInstanceRefresh', `<InstanceRefreshId>refresh-${refreshes.length}</InstanceRefreshId>`);
    case 'DescribeInstanceRefreshes':
      return answer(
        'DescribeInstanceRefreshes',
        `<InstanceRefreshes>${refreshes
          .slice(0, 1)
          .map(
            ({ status, version }) =>
              `<member><Status>${status}</Status><DesiredConfiguration><LaunchTemplate><LaunchTemplateId>${templateId}</LaunchTemplateId><Version>${version}</Version></LaunchTemplate></DesiredConfiguration></member>`,
          )
          .join('')}</InstanceRefreshes>`,
      );
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
  images = (await ec2.send(new DescribeImagesCommand({}))).Images!.map(({ ImageId }) => ImageId!).slice(0, 3);
  Object.assign(process.env, {
    AWS_ENDPOINT_URL: `http://127.0.0.1:${(front.address() as AddressInfo).port}`,
    POWERTOOLS_LOG_LEVEL: 'SILENT',
    GROUP_NAME: 'fleet',
    BUILT_PARAMETER: BUILT,
    GOOD_PARAMETER: GOOD,
    ALARMS: '["attack","sick"]',
    MIN_HEALTHY: '50',
  });
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
/** The refresh ends: where it succeeded, the group is saved with what it moved to. */
async function ends(status: string): Promise<void> {
  refreshes[0]!.status = status;
  if (status === 'Successful')
    await autoScaling.send(
      new UpdateAutoScalingGroupCommand({ AutoScalingGroupName: 'fleet', LaunchTemplate: { LaunchTemplateId: templateId, Version: refreshes[0]!.version } }),
    );
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

it('tells a deployment which image to start from: the good one, and the first one before there is any', async () => {
  const stack = await awaitAnswers();
  const request = stack.request('Create', { FirstImage: 'ami-first' });
  await handler(request);
  process.env['GOOD_PARAMETER'] = '/cdk-ftps/other/good-image';
  await handler(request);
  stack.close();
  expect(stack.answers.map(({ Status, Data }) => [Status, Data.ImageId])).toEqual([
    ['SUCCESS', images[0]],
    ['SUCCESS', 'ami-first'],
  ]);
});
