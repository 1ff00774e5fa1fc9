/** Whoever asks to hear of uploads hears of them, on every storage. */
import { Template } from 'aws-cdk-lib/assertions';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { SqsQueue } from 'aws-cdk-lib/aws-events-targets';
import { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { FileStorage, FtpsService, type FtpsServiceProps, type OnUploadReleasedOptions, S3Storage } from '../../../lib';
import { checkServerConfig } from '../../../server/config';
import { flat, type Resources, shippedSettings, testStack } from '../support';

const own = { domainName: 'ftps.example.com', clientCidrs: ['203.0.113.0/24'], instances: 1 };

function serviceWith(
  storage: ((scope: Construct) => FileStorage | undefined) | undefined,
  props: (scope: Construct) => Partial<FtpsServiceProps> = () => ({}),
  options?: (scope: Construct) => OnUploadReleasedOptions,
): Template {
  const { stack, hostedZone } = testStack();
  const service = new FtpsService(stack, 'Ftps', { ...own, hostedZone, storage: storage?.(stack), ...props(stack) });
  if (options) service.onUploadReleased('Uploads', options(stack));
  return Template.fromStack(stack);
}

const mayPut = (template: Template) =>
  Object.values(template.findResources('AWS::IAM::Policy') as Resources)
    .flatMap(({ Properties }) => (Properties.PolicyDocument.Statement as Resources[]).map((one) => ({ ...one, roles: flat(Properties.Roles[0]) })))
    .filter(({ Action }: Resources) => Action === 'events:PutEvents')
    .map(({ Resource, roles }: Resources) => `${roles} ${flat(Resource)}`);
const rule = (template: Template) =>
  Object.values(template.findResources('AWS::Events::Rule') as Resources).find(({ Properties }) => Properties.EventPattern?.source?.[0] === 'cdk-ftps')
    .Properties;

describe.each<[string, (scope: Construct) => FileStorage | undefined, string, RegExp]>([
  ['EFS', () => undefined, 'Test/Ftps/Files', /FtpsFleetRole/],
  ['the disk of the instance', (scope) => FileStorage.localDisk(scope, 'Disk'), 'Test/Disk', /FtpsFleetRole/],
  ['S3 that the instances scan', (scope) => new S3Storage(scope, 'Bucket', { malwareProtection: false }), 'Test/Bucket', /FtpsFleetRole/],
  ['S3 that GuardDuty scans', (scope) => new S3Storage(scope, 'Bucket'), 'Test/Bucket', /BucketReleaseRole/],
])('%s', (_, storage, name, teller) => {
  const template = serviceWith(storage, undefined, (scope) => ({ accounts: ['acme'], prefix: '/invoices/', target: new SqsQueue(new Queue(scope, 'Queue')) }));

  it('a rule hears of its uploads alone, of the accounts and below the prefix', () => {
    expect(rule(template)).toMatchObject({
      EventPattern: {
        source: ['cdk-ftps'],
        'detail-type': ['FTPS Upload Released'],
        detail: { storage: [name], user: ['acme'], path: [{ prefix: '/invoices/' }] },
      },
      Targets: [expect.anything()],
    });
  });

  it('whoever lets uploads appear says so under that name, and may write to that bus and no other', () => {
    const granted = mayPut(template);
    expect(granted).toEqual([expect.stringMatching(teller)]);
    expect(granted[0]).toMatch(/event-bus\/default$/);
    const settings = checkServerConfig(shippedSettings(template));
    if (teller.source.includes('Fleet')) expect(settings.afterRelease).toMatchObject({ eventBus: expect.stringContaining('event-bus/default'), storage: name });
    else template.hasResourceProperties('AWS::Lambda::Function', { Environment: { Variables: { METRIC_STORAGE: name } } });
  });
});

it('nobody is told where nobody asks to hear, and the servers may tell nobody', () => {
  const template = serviceWith(undefined);
  expect([mayPut(template), shippedSettings(template)['afterRelease'].eventBus]).toEqual([[], undefined]);
});

it('a bus of your own is told, with and without a rule of the kit', () => {
  const template = serviceWith(undefined, (scope) => ({ eventBus: new EventBus(scope, 'Bus') }));
  expect(mayPut(template)).toEqual([expect.stringMatching(/FtpsFleetRole.*<Bus/)]);
  expect(shippedSettings(template)['afterRelease'].eventBus).toMatch(/^<Bus/);
});

it.each<[OnUploadReleasedOptions, string]>([
  [{ accounts: [] }, 'accounts: is empty'],
  [{ accounts: ['a b'] }, 'accounts: "a b" is no name of an account'],
  [{ prefix: 'invoices' }, 'prefix: "invoices" begins no path; write it as clients see it, for example /invoices'],
  [{ account: 'acme' } as never, 'account: is unknown to OnUploadReleasedOptions; did you mean accounts?'],
])('%j is refused', (options, words) => {
  expect(() => serviceWith(undefined, undefined, () => options)).toThrow(words);
});

it('a second bus beside that of the storage is refused', () => {
  expect(() =>
    serviceWith(
      (scope) => new S3Storage(scope, 'Bucket'),
      (scope) => ({ eventBus: new EventBus(scope, 'Bus') }),
    ),
  ).toThrow('eventBus: the storage has a bus of its own already');
});
