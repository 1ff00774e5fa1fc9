/** Webhooks: `webhooks` of a service, the secrets that sign, the way out, and who hears when one is given up. */
import { Duration } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { FtpsService, S3Storage, type UploadWebhook } from '../../../lib';
import { type ServerParts, serverConfig } from '../../../lib/server-config';
import { checkServerConfig } from '../../../server/config';
import { flat, type Resources, serviceTemplate, shippedSettings, testStack } from '../support';

const place = 'arn:aws:secretsmanager:eu-central-1:111122223333:secret';
const PEM = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----';
const { stack, hostedZone } = testStack();
const secret = (name: string) => Secret.fromSecretCompleteArn(stack, name, `${place}:${name}-a1B2c3`);
const [before, after] = [secret('before'), secret('after')];
const own = new Secret(stack, 'Own', { encryptionKey: new Key(stack, 'OwnKey') });
const erp: UploadWebhook = { name: 'erp', url: 'https://erp.example.com/uploads', signingSecrets: [own] };
const service = new FtpsService(stack, 'Ftps', {
  domainName: 'ftps.example.com',
  hostedZone,
  clientCidrs: ['203.0.113.0/24'],
  webhooks: [
    erp,
    {
      name: 'warehouse',
      url: 'https://warehouse.example.com:8443/in',
      signingSecrets: [before, after],
      networks: ['10.1.0.0/16', '10.2.0.7', 'fd00::/64'],
      ca: PEM,
      requestTimeout: Duration.seconds(5),
      giveUpAfter: Duration.days(1),
    },
    { name: 'partner', url: 'https://[2001:db8::1]:9443/', signingSecrets: [after] },
  ],
});
const template = Template.fromStack(stack);
const without = serviceTemplate();
const resources = (one: Template, type: string) => Object.entries(one.findResources(type) as Resources).map(([id, { Properties }]) => ({ id, ...Properties }));

it('are what the server is told, and it takes them as they are', () => {
  const { afterRelease } = checkServerConfig(shippedSettings(template));
  const { webhooks, storage } = afterRelease;
  expect(storage).toBe('Test/Ftps/Files'); // as events have it
  expect(webhooks).toMatchObject([
    {
      name: 'erp',
      url: 'https://erp.example.com/uploads',
      secrets: [{ kind: 'secret', secretId: expect.stringMatching(/^<Own/) }],
      requestSeconds: 15,
      giveUpSeconds: 259_200,
    },
    {
      name: 'warehouse',
      secrets: [
        { kind: 'secret', secretId: `${place}:before-a1B2c3` },
        { kind: 'secret', secretId: `${place}:after-a1B2c3` },
      ],
      networks: ['10.1.0.0/16', '10.2.0.7', 'fd00::/64'],
      ca: PEM,
      requestSeconds: 5,
      giveUpSeconds: 86_400,
    },
    { name: 'partner' },
  ]);
});

it('the instances may read the secrets that sign, each through its key, once', () => {
  const statements = resources(template, 'AWS::IAM::Policy')
    .filter(({ id }) => /FleetRole/.test(id))
    .flatMap(({ PolicyDocument }) => PolicyDocument.Statement as Resources[]);
  const read = statements.filter(({ Action }) => Action.includes('secretsmanager:DescribeSecret'));
  expect(read.map(({ Resource }) => Resource)).toEqual([{ Ref: expect.stringMatching(/^Own/) }, `${place}:before-a1B2c3`, `${place}:after-a1B2c3`]);
  expect(read.every(({ Action }) => `${Action}` === 'secretsmanager:GetSecretValue,secretsmanager:DescribeSecret')).toBe(true);
  const [decrypt] = statements.filter(({ Resource }) => JSON.stringify(Resource).includes('OwnKey'));
  expect(decrypt).toMatchObject({ Action: 'kms:Decrypt' });
  expect(flat(decrypt!['Condition'].StringEquals['kms:ViaService'])).toBe('secretsmanager.eu-central-1.<AWS::URLSuffix>');
});

it('are reached on their ports: in the networks that are named, else anywhere', () => {
  const rules = resources(template, 'AWS::EC2::SecurityGroup')
    .flatMap(({ SecurityGroupEgress = [] }) => SecurityGroupEgress as Resources[])
    .filter(({ Description }) => /webhook/i.test(Description));
  expect(rules.map(({ FromPort, ToPort, CidrIp, CidrIpv6 }) => `${FromPort}-${ToPort} ${CidrIp ?? CidrIpv6}`)).toEqual([
    '9443-9443 0.0.0.0/0',
    '8443-8443 10.1.0.0/16',
    '8443-8443 10.2.0.7/32',
    '8443-8443 fd00::/64',
  ]);
});

it('somebody is called when one is given up; dashboard and queries say which', () => {
  const metrics = resources(template, 'AWS::Logs::MetricFilter').filter(({ MetricTransformations: [one] }) => /WebhooksGivenUp$/.test(one.MetricName));
  expect(metrics).toMatchObject([{ FilterPattern: '{ $.unmapped.event = "after-release" && $.unmapped.what = "webhook" && $.status_id = 2 }' }]);
  const alarms = resources(template, 'AWS::CloudWatch::Alarm').filter(({ MetricName }) => MetricName === 'Test-Ftps-Logs-WebhooksGivenUp');
  expect(alarms).toMatchObject([{ Threshold: 1, AlarmDescription: expect.stringMatching(/"webhooks-given-up" says which\.$/) }]);
  expect(service.auditLog.metricWebhooksGivenUp().metricName).toBe('Test-Ftps-Logs-WebhooksGivenUp');
  const [dashboard] = resources(template, 'AWS::CloudWatch::Dashboard');
  expect(flat(dashboard!['DashboardBody'])).toContain('Uploads told to webhooks, by endpoint and end');
  expect(resources(template, 'AWS::Athena::NamedQuery').map(({ Name }) => Name)).toContain('webhooks-given-up');
});

it('without them there is nothing of them', () => {
  const shipped = shippedSettings(without);
  expect(shipped['afterRelease'].webhooks).toEqual([]);
  const { Resources: all } = without.toJSON() as { Resources: Resources };
  expect(JSON.stringify(all)).not.toMatch(/WebhooksGivenUp|webhooks-given-up|told to webhooks|"Webhook"/);
});

const parts: ServerParts = {
  certificateSecretIds: ['certificate'],
  storage: { storage: { kind: 'local', root: '/srv/ftps' }, scannedElsewhere: false },
  identity: [{ kind: 'secrets', prefix: 'partners/' }],
  advertisedAddress: 'auto',
};
const checked = (webhooks: object[], more: Partial<ServerParts> = {}) => serverConfig({}, { ...parts, ...more, webhooks: webhooks as UploadWebhook[] });

it.each<[string, object, RegExp]>([
  ['an address in plain text', { url: 'http://erp.example.com' }, /webhooks\[0\]\.url: "http:\/\/erp\.example\.com" is not encrypted; write https:\/\//],
  ['a password in the address', { url: 'https://me:secret@erp.example.com' }, /webhooks\[0\]\.url: .*expected no name or password in it/],
  ['no word of secrets', { signingSecrets: undefined }, /webhooks\[0\]\.signingSecrets: are 0; give one/],
  ['no address', { url: undefined }, /webhooks\[0\]\.url: "" is not encrypted; write https:/],
  ['no secret', { signingSecrets: [] }, /webhooks\[0\]\.signingSecrets: are 0; give one, or two while one takes the place of another/],
  ['three secrets', { signingSecrets: [own, own, own] }, /webhooks\[0\]\.signingSecrets: are 3/],
  ['a name in capitals', { name: 'ERP' }, /webhooks\[0\]\.name: "ERP": expected small letters, digits and `-`/],
  ['a network that is none', { networks: ['here'] }, /webhooks\[0\]\.networks\[0\]: "here" is not a network/],
  ['a file that no instance has', { ca: 'ca.pem' }, /webhooks\[0\]\.ca: "ca\.pem" has no certificate in PEM; give the text/],
  ['no time to answer in', { requestTimeout: Duration.seconds(0) }, /webhooks\[0\]\.requestTimeout: 0: expected more than 0/],
  ['no time to give up after', { giveUpAfter: Duration.seconds(0) }, /webhooks\[0\]\.giveUpAfter: 0: expected more than 0/],
])('%s is refused', (_, wrong, message) => {
  expect(() => checked([{ ...erp, ...wrong }])).toThrow(message);
});

it('two of one name are refused, more than eight, overrides beside them, and misspelt words', () => {
  expect(() => checked([erp, erp])).toThrow(/webhooks\[1\]\.name: "erp" is there twice; give each endpoint its own name/);
  expect(() => checked(Array.from({ length: 9 }, (_, index) => ({ ...erp, name: `erp-${index}` })))).toThrow(/ {2}webhooks: /);
  expect(() => serverConfig({ overrides: { afterRelease: { webhooks: [] } } }, parts)).toThrow(
    /overrides\.afterRelease\.webhooks: follows from webhooks; say it there/,
  );
  expect(() => serviceTemplate({ webhooks: [{ ...erp, secrets: [] } as UploadWebhook] })).toThrow(/webhooks\[0\]\.secrets: is unknown to UploadWebhook/);
});

it('where a Lambda lets uploads become visible they are refused, with what does the same there', () => {
  const { settings } = new S3Storage(testStack().stack, 'Files');
  expect(() => checked([erp], { storage: settings })).toThrow(
    /webhooks: are sent by the servers, .* API destination of EventBridge .*malwareProtection: false/,
  );
});

it('an address that is known when it is deployed is checked and told', () => {
  const url = `https://${own.secretName}.example.com:8443/x`;
  const { afterRelease } = checked([
    { ...erp, url },
    { ...erp, name: 'other', url },
  ]);
  expect(afterRelease.webhooks.map((one) => one.url)).toEqual([url, url]);
});
