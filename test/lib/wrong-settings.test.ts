/** What somebody in a hurry writes: each is refused at synthesis, by the name of its setting and with what would be right, and not by a deployment that is half done. */
import { Duration, type Stack } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import { SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Schedule } from 'aws-cdk-lib/aws-events';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import {
  AlarmTopic,
  FtpsEnvironment,
  type FtpsEnvironmentSettings,
  FtpsLoadBalancer,
  FtpsService,
  type FtpsServiceProps,
  S3Storage,
  ServerCertificate,
} from '../../lib';
import { refuseNamesOutside, refuseWrongHostNames } from '../../lib/host-names';
import { env, testStack } from './support';

type Given = Partial<FtpsServiceProps> | ((stack: Stack) => Partial<FtpsServiceProps>);
const { stack, hostedZone } = testStack();
const zone = (hostedZoneId: string) => HostedZone.fromHostedZoneAttributes(stack, `Zone${hostedZoneId.length}`, { hostedZoneId, zoneName: 'example.com' });
const certificate = (arn: string, names: string[]) => (scope: Stack) => ({
  certificate: ServerCertificate.fromAcm(scope, 'Certificate', { certificate: Certificate.fromCertificateArn(scope, 'Acm', arn), names }),
});
const inside = (scope: Stack) =>
  Vpc.fromVpcAttributes(scope, 'Inside', {
    vpcId: 'vpc-0123456789abcdef0',
    availabilityZones: ['eu-central-1a'],
    publicSubnetIds: ['subnet-0123456789abcdef0'],
    publicSubnetRouteTableIds: ['rtb-0123456789abcdef0'],
    isolatedSubnetIds: ['subnet-0123456789abcdef1'],
  });
let services = 0;

it.each<[string, Given, RegExp]>([
  ['a name in another zone', { domainName: 'ftps.bank.test' }, /domainName: "ftps\.bank\.test" does not lie in the zone example\.com/],
  ['a further name in another zone', { alternativeNames: ['ftps.bank.test'] }, /alternativeNames: "ftps\.bank\.test" does not lie in the zone example\.com/],
  ['a further name that is none', { alternativeNames: ['ftps_old.example.com'] }, /alternativeNames: "ftps_old\.example\.com" is no host name/],
  [
    'a name that no certificate has room for',
    { domainName: `${'a'.repeat(60)}.example.com` },
    /domainName: .* has 72 characters, and a certificate has room for 64/,
  ],
  ['the id of a zone that is its name', () => ({ hostedZone: zone('example.com') }), /hostedZone: "example\.com" is no id of a zone; write it as Z/],
  ['a network whose length is none', { clientCidrs: ['203.0.113.0/33'] }, /clientCidrs: "203\.0\.113\.0\/33" is no network; write it as 203\.0\.113\.0\/24/],
  ['a network whose numbers are none', { clientCidrs: ['256.1.1.0/24'] }, /clientCidrs: "256\.1\.1\.0\/24" is no network/],
  ['an address', { clientCidrs: ['203.0.113.5'] }, /clientCidrs: "203\.0\.113\.5" is no network; write it as 203\.0\.113\.5\/32/],
  ['an address of IPv6', { clientCidrs: ['2001:db8::5'] }, /write it as 2001:db8::5\/128/],
  ['a host name as a network', { clientCidrs: ['partner.example.com'] }, /clientCidrs: "partner\.example\.com" is no network/],
  ['one network that is no list', { clientCidrs: '203.0.113.0/24' as never }, /clientCidrs: is no list; write/],
  ['half an instance', { maxInstances: 2.5 }, /maxInstances: 2\.5 is no number of instances/],
  ['a time with five fields', { patchSchedule: Schedule.expression('cron(0 3 * * *)') }, /schedule: "cron\(0 3 \* \* \*\)" is no time of a calendar/],
  [
    'a certificate of another region',
    certificate('arn:aws:acm:us-east-1:111122223333:certificate/1', ['ftps.example.com']),
    /certificate: lies in us-east-1, .* in eu-central-1/,
  ],
  ['a certificate of no names', certificate('arn:aws:acm:eu-central-1:111122223333:certificate/1', []), /names: is empty/],
  [
    'a threshold that is always reached',
    { alarmThresholds: { failedLogins: 0 } },
    /alarmThresholds\.failedLogins: 0 is no number of failures; write 1 or more/,
  ],
  ['half a day', (scope) => ({ storage: new S3Storage(scope, 'Files', { expiration: Duration.hours(12) }) }), /expiration: 0\.5 days are none that S3 counts/],
  [
    'no day',
    (scope) => ({ storage: new S3Storage(scope, 'Files', { noncurrentVersionExpiration: Duration.days(0) }) }),
    /noncurrentVersionExpiration: 0 days are none that S3 counts/,
  ],
  [
    'a subnet that is too small',
    (scope) => ({ vpc: inside(scope), imageBuildCidr: '10.0.255.0/30' }),
    /imageBuildCidr: "10\.0\.255\.0\/30" is no range of a subnet/,
  ],
  [
    'addresses of the internet where it leads nowhere',
    (scope) => ({ vpc: inside(scope), vpcSubnets: { subnetType: SubnetType.PRIVATE_ISOLATED } }),
    /vpcSubnets: have no way from the internet/,
  ],
  [
    'fewer slots than instances',
    (scope) => {
      const vpc = new Vpc(scope, 'Vpc', { natGateways: 0 });
      return { vpc, instances: 4, endpoint: new FtpsLoadBalancer(scope, 'Balancer', { vpc, slots: 2 }) };
    },
    /endpoint: 2 slots are too few for 4 instances/,
  ],
])('%s', (_, given, words) => {
  const own = testStack().stack;
  const made = () => (typeof given === 'function' ? given(own) : given);
  expect(() => new FtpsService(own, `Ftps${++services}`, { domainName: 'ftps.example.com', hostedZone, clientCidrs: ['203.0.113.0/24'], ...made() })).toThrow(
    words,
  );
});

it('an address of mail that is none is refused', () => {
  expect(() => new AlarmTopic(testStack().stack, 'Alarms', { emails: ['ops'] })).toThrow(/emails: "ops" is no address of mail; write it as/);
});

it('names in capitals, of the zone itself, with a star, and of a zone that is known by its id alone are taken', () => {
  refuseWrongHostNames('FTPS.Example.com', ['example.com', '*.example.com']);
  refuseNamesOutside(hostedZone, 'FTPS.Example.com', ['example.com', '*.example.com']);
  refuseNamesOutside(HostedZone.fromHostedZoneId(stack, 'ById', 'Z0123456789EXAMPLE'), 'ftps.bank.test', []);
});

it.each<[string, Partial<FtpsEnvironmentSettings>, RegExp]>([
  ['an account with hyphens', { env: { ...env, account: '1111-2222-3333' } }, /env\.account: "1111-2222-3333" is no account/],
  ['a region that is none', { env: { ...env, region: 'eu-central1' } }, /env\.region: "eu-central1" is no region; write it as eu-central-1/],
  ['the path of a zone', { hostedZoneId: '/hostedzone/Z0' }, /hostedZoneId: "\/hostedzone\/Z0" is no id of a zone/],
  ['a tag of AWS', { tags: { 'aws:team': 'files' } }, /tags: "aws:team" can't be the name of a tag/],
  ['a number as a tag', { tags: { team: 7 as never } }, /tags\.team: 7 can't be the value of a tag/],
  ['a tag that is too long', { tags: { team: 'x'.repeat(257) } }, /tags\.team: .* can't be the value of a tag; write a text of up to 256/],
  ['a tag that IAM does not take', { tags: { owner: 'Files & Co!' } }, /tags\.owner: "Files & Co!" can't be the value of a tag/],
])('of an environment: %s', (_, settings, words) => {
  const own = { name: 'test', domainName: 'ftps.example.com', hostedZoneId: 'Z0', zoneName: 'example.com', clientCidrs: ['203.0.113.0/24'] };
  expect(() => FtpsEnvironment.production({}, { ...own, ...settings })).toThrow(words);
});

it.each(['us-gov-west-1', 'eusc-de-east-1', 'ap-southeast-7'])('regions of every partition are taken: %s', (region) => {
  const own = { name: 'test', domainName: 'ftps.example.com', hostedZoneId: 'Z0', zoneName: 'example.com', clientCidrs: ['203.0.113.0/24'] };
  expect(() => FtpsEnvironment.production({}, { ...own, env: { ...env, region } })).not.toThrow();
});
