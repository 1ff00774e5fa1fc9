/** The ten lines of README and of examples/minimal, as somebody tries them who has no AWS account yet. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { ServiceNetwork } from '../../lib';
import { env, type Resources } from './support';

const root = join(__dirname, '../..');
const lines = /```ts\n(import \{ App, Stack \}[\s\S]*?)```/.exec(readFileSync(join(root, 'README.md'), 'utf8'))![1]!;
const folder = mkdtempSync(join(root, '.cache-ten-lines-')); // within the checkout, where the packages are found
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it('synthesize without credentials, and ask no account for anything', () => {
  writeFileSync(join(folder, 'app.mts'), lines);
  const { status, stderr } = spawnSync(process.execPath, ['--import', 'tsx', join(folder, 'app.mts')], {
    cwd: root,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], HOME: '/nonexistent', CDK_OUTDIR: join(folder, 'cdk.out') },
  });
  expect([status, stderr]).toEqual([0, '']);
  const manifest = JSON.parse(readFileSync(join(folder, 'cdk.out/manifest.json'), 'utf8'));
  expect(manifest.missing ?? []).toEqual([]);
  expect(readFileSync(join(folder, 'cdk.out/Partners.template.json'), 'utf8')).toContain('"AWS::AutoScaling::AutoScalingGroup"');
});

describe('the zones of a network', () => {
  const zonesOf = (stack: Stack) => {
    new ServiceNetwork(stack, 'Network');
    const subnets = Object.values(Template.fromStack(stack).findResources('AWS::EC2::Subnet') as Resources);
    return subnets.map(({ Properties }) => Properties.AvailabilityZone ?? 'any').slice(0, 2);
  };

  it('are named by their order, and the stack asks for those of others as before', () => {
    const stack = new Stack(new App(), 'Test', { env });
    expect(zonesOf(stack)).toEqual([{ 'Fn::Select': [0, { 'Fn::GetAZs': '' }] }, { 'Fn::Select': [1, { 'Fn::GetAZs': '' }] }]);
    expect(Object.hasOwn(stack, 'availabilityZones')).toBe(false);
  });

  it('stay what they are where the app knows their names', () => {
    const key = `availability-zones:account=${env.account}:region=${env.region}`;
    expect(zonesOf(new Stack(new App({ context: { [key]: ['eu-central-1b', 'eu-central-1c'] } }), 'Test', { env }))).toEqual([
      'eu-central-1b',
      'eu-central-1c',
    ]);
    class Named extends Stack {
      public override get availabilityZones(): string[] {
        return ['eu-central-1x', 'eu-central-1y'];
      }
    }
    expect(zonesOf(new Named(new App(), 'Test', { env }))).toEqual(['eu-central-1x', 'eu-central-1y']);
  });
});
