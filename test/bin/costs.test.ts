/** What the kit says it costs: the templates, the table of prices and the pages say the same. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { environmentsApp, pipelineApp } from '../../bin/compliance/guide';
import { variantsApp } from '../../bin/compliance/variants';
import { billOf, type Resource } from '../../bin/costs/bill';
import { comparison, costsGuide, costsTable, withCosts } from '../../bin/costs/guide';
import { gigabytePriceOf, gigabytePrices, storageKindOf } from '../../bin/costs/per-gigabyte';
import { prices } from '../../bin/costs/prices';
import { summarize } from '../../bin/summary';
import { FileStorage, FileThroughput, FtpsService, S3Storage, ServiceNetwork } from '../../lib';

const { context } = JSON.parse(readFileSync(join(__dirname, '../../cdk.json'), 'utf8'));
const environments = environmentsApp({ context });
const page = (name: string) => readFileSync(join(__dirname, '../..', name), 'utf8');

const templatesOf = (app: App) =>
  app.synth().stacksRecursively.map(({ stackName, template }) => ({ stackName, resources: Object.values(template.Resources ?? {}) as Resource[] }));
const environment = (name: string) =>
  environments
    .synth()
    .nestedAssemblies.find(({ displayName }) => displayName === name)!
    .nestedAssembly.stacks.flatMap(({ template }) => Object.values(template.Resources) as Resource[]);

it('every resource type of every template is counted, paid by use, or known to be free', () => {
  for (const app of [environments, variantsApp({ context }), pipelineApp({ context })])
    for (const { stackName, resources } of templatesOf(app)) {
      const { unknown, uncounted } = billOf(resources);
      expect({ stackName, unknown, uncounted }).toEqual({ stackName, unknown: [], uncounted: [] });
    }
});

it('a type that nobody knows, and an instance without a list price, are named instead of left out', () => {
  const resources: Record<string, Resource> = {
    Group: { Type: 'AWS::AutoScaling::AutoScalingGroup', Properties: { MinSize: '3' } },
    Template: { Type: 'AWS::EC2::LaunchTemplate', Properties: { LaunchTemplateData: { InstanceType: 'x9z.metal', UserData: '' } } },
    Mainframe: { Type: 'AWS::Mainframe::Application', Properties: {} },
  };
  const said = summarize({
    Resources: { ...resources, Pipeline: { Type: 'AWS::ImageBuilder::ImagePipeline', Properties: { Schedule: { ScheduleExpression: '' } } } },
  });
  expect(said).toContain('not in it      no list price is known for x9z.metal');
  expect(said).toContain('not in it      AWS::Mainframe::Application is not counted');
});

it('prod and staging cost what the parts of their templates add up to', () => {
  const bill = billOf(environment('prod'));
  const usd = (what: RegExp) => bill.lines.find((one) => what.test(one.what))!.usd;
  expect(usd(/^instances, c7g.large/)).toBeCloseTo(2 * 0.0725 * 730, 2);
  expect(usd(/detailed monitoring/)).toBeCloseTo(2 * 7 * 0.3, 2);
  // 7 USD at issue and every 153 days from then on.
  expect(usd(/certificates/)).toBeCloseTo((7 * 365) / 153 / 12, 2);
  expect(usd(/counted from the audit/)).toBeCloseTo(0.3 * environment('prod').filter(({ Type }) => Type === 'AWS::Logs::MetricFilter').length, 2);
  expect(usd(/dashboards/)).toBe(3);
  const keys = environment('prod').filter(({ Type }) => Type === 'AWS::KMS::Key').length;
  expect(bill.usdLater - bill.usd).toBeCloseTo(2 * keys, 2);
  expect(bill.usd).toBeGreaterThan(145);
  expect(billOf(environment('staging')).usd).toBeGreaterThan(40);
});

it('names of a certificate are paid one by one, wildcards at their own price', () => {
  const certificate = (DomainName: string, ...SubjectAlternativeNames: string[]): Resource => ({
    Type: 'AWS::CertificateManager::Certificate',
    Properties: { DomainName, SubjectAlternativeNames, CertificateExport: 'ENABLED' },
  });
  const { lines } = billOf([certificate('a.example.com', 'a.example.com', 'b.example.com', '*.example.com')]);
  expect(lines[0]).toMatchObject({ count: 3, usd: expect.closeTo(((7 + 7 + 79) * 365) / 153 / 12, 5) });
});

describe('each GB', () => {
  function kindOf(storage: (stack: Stack) => FileStorage | undefined): string {
    const stack = new Stack(new App(), 'Partners', { env: { account: '111122223333', region: 'eu-central-1' } });
    const hostedZone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' });
    new FtpsService(stack, 'Ftps', { domainName: 'ftps.example.com', hostedZone, clientCidrs: ['203.0.113.0/24'], instances: 1, storage: storage(stack) });
    return storageKindOf(Object.values(Template.fromStack(stack).toJSON()['Resources']));
  }

  it('costs what its storage asks', () => {
    expect(kindOf(() => undefined)).toBe('EFS, bursting');
    expect(kindOf((stack) => FileStorage.efs(stack, 'Files', { vpc: new ServiceNetwork(stack, 'Network').vpc, throughput: FileThroughput.ELASTIC }))).toBe(
      'EFS, elastic',
    );
    expect(kindOf((stack) => FileStorage.localDisk(stack, 'Files'))).toBe('disk');
    expect(kindOf((stack) => new S3Storage(stack, 'Files'))).toBe('S3, scanned by GuardDuty');
    expect(kindOf((stack) => new S3Storage(stack, 'Files', { malwareProtection: false }))).toBe('S3, scanned by the instances');
    expect(new Set(gigabytePrices.map(({ kind }) => kind)).size).toBe(5);
  });

  it('costs less than with AWS Transfer Family, as an environment comes', () => {
    for (const name of ['prod', 'staging']) {
      const { up, down } = gigabytePriceOf(environment(name));
      expect(up).toBeLessThan(prices.transferFamilyGigabyte.usd);
      expect(down).toBeLessThan(prices.transferFamilyGigabyte.usd);
    }
  });
});

it('a file system that bursts has an alarm before it becomes slow, and one that is elastic needs none', () => {
  const alarmsOf = (throughput: FileThroughput) => {
    const stack = new Stack(new App(), 'Test');
    FileStorage.efs(stack, 'Files', { vpc: new ServiceNetwork(stack, 'Network').vpc, throughput });
    return Object.values(Template.fromStack(stack).findResources('AWS::CloudWatch::Alarm'));
  };
  expect(alarmsOf(FileThroughput.ELASTIC)).toEqual([]);
  const [alarm] = alarmsOf(FileThroughput.BURSTING);
  expect(alarm!['Properties']).toMatchObject({ MetricName: 'BurstCreditBalance', Statistic: 'Minimum', ComparisonOperator: 'LessThanThreshold' });
});

it('README and guides say what the templates say; `npm run docs` writes them anew', () => {
  expect(page('docs/costs.md')).toBe(costsGuide(environments));
  expect(page('README.md')).toBe(withCosts(page('README.md'), costsTable(environments)));
  const moving = 'docs/moving-from-transfer-family.md';
  expect(page(moving)).toBe(withCosts(page(moving), comparison(environments)));
});
