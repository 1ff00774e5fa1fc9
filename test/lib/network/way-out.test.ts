/** Whoever deploys hears at synthesis what instances in subnets without a way to the internet will not reach, and what is missing. */
import { Annotations, Match } from 'aws-cdk-lib/assertions';
import { SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { FtpsService, type FtpsServiceProps, PrivateAddresses, type UploadWebhook, VirusScan } from '../../../lib';
import { testStack } from '../support';

const ids = (name: string, id: string) => ({ [`${name}Ids`]: [`subnet-${id}`], [`${name}RouteTableIds`]: [`rtb-${id}`] });
const OUT = { subnetType: SubnetType.PRIVATE_WITH_EGRESS };
const ISOLATED = { subnetType: SubnetType.PRIVATE_ISOLATED };
const issuers = [{ issuer: 'https://login.example.com/realms/acme', audience: ['files'], rules: [{ claims: [{ name: 'sub', value: 'acme' }], user: 'acme' }] }];

function warned({ inside, ...props }: Partial<FtpsServiceProps> & { readonly inside?: boolean }, webhook?: Partial<UploadWebhook>): string[] {
  const { stack, hostedZone } = testStack();
  const vpc = Vpc.fromVpcAttributes(stack, 'Vpc', {
    vpcId: 'vpc-0123456789abcdef0',
    availabilityZones: ['eu-central-1a'],
    ...ids('publicSubnet', '0123456789abcdef0'),
    ...ids('privateSubnet', '0123456789abcdef1'),
    ...ids('isolatedSubnet', '0123456789abcdef2'),
  });
  const signingSecrets = [Secret.fromSecretNameV2(stack, 'Signing', 'ftps/erp')];
  const webhooks = webhook && [{ name: 'erp', url: 'https://erp.example.com/uploads', signingSecrets, ...webhook }];
  const given = {
    domainName: 'ftps.example.com',
    hostedZone,
    clientCidrs: ['203.0.113.0/24'],
    vpc,
    webhooks,
    endpoint: inside || props.vpcSubnets ? new PrivateAddresses(stack, 'Inside') : undefined,
  };
  new FtpsService(stack, 'Ftps', { ...given, ...props, server: { virusScan: VirusScan.OFF, ...props.server } });
  return Annotations.fromStack(stack)
    .findWarning('*', Match.stringLikeRegexp('subnets of the instances'))
    .map(({ entry }) => String(entry.data));
}

it('of webhooks and issuers from isolated subnets, each by its name in the app', () => {
  expect(warned({ vpcSubnets: ISOLATED, server: { https: { issuers } } }, {})).toEqual([
    expect.stringMatching(
      /^The subnets of the instances \(Test\/Vpc\/.+\) are isolated: no NAT gateway stands behind them\. From there nobody reaches webhooks\[0\] \(erp\.example\.com\), .*; server\.https\.issuers\[0\] \(login\.example\.com\), whose tokens are answered 503\. Choose subnets with a NAT gateway by vpcSubnets .* proxy that is routed to, acknowledge this warning/,
    ),
  ]);
});

it('of the scanner, which fetches its signatures', () =>
  expect(warned({ vpcSubnets: ISOLATED, server: { virusScan: VirusScan.REQUIRED } })).toEqual([
    expect.stringContaining('the signatures of the scanner (server.virusScan), without which uploads are refused'),
  ]));

it('of public subnets whose instances have no public addresses', () =>
  expect(warned({ inside: true }, {})).toEqual([
    expect.stringContaining('are public, and the endpoint gives the instances no public addresses. From there nobody reaches webhooks[0]'),
  ]));

it('of nothing where there is a way out, nobody is asked, or the endpoint lies in networks that were named', () => {
  expect(warned({ vpcSubnets: OUT, server: { https: { issuers } } }, {})).toEqual([]);
  expect(warned({ server: { https: { issuers } } }, {})).toEqual([]);
  expect(warned({ vpcSubnets: ISOLATED })).toEqual([]);
  expect(warned({ vpcSubnets: ISOLATED }, { networks: ['10.0.0.0/8'] })).toEqual([]);
});
