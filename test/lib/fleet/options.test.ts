/** What a service can have besides: IPv6, a network firewall, room to grow, a zone whose parent lies elsewhere, a shared image. */
import { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { DelegatedZone, ElasticAddresses, FtpsLoadBalancer, FtpsService, PassivePorts, ServiceNetwork, TlsPolicy } from '../../../lib';
import { flat, inboundRules, type Resources, testStack } from '../support';

const clientCidrs = ['203.0.113.0/24', '2001:db8::/32'];
const { stack } = testStack();
const { vpc } = new ServiceNetwork(stack, 'Network', { ipv6: true });
const { zone } = new DelegatedZone(stack, 'Delegated', {
  zoneName: 'ftps.example.com',
  parentZoneName: 'example.com',
  delegationRoleArn: 'arn:aws:iam::444455556666:role/delegates',
});
const service = new FtpsService(stack, 'Ftps', {
  domainName: 'ftps.example.com',
  hostedZone: zone,
  vpc,
  clientCidrs,
  ipv6: true,
  instances: 2,
  maxInstances: 6,
  warmInstances: 1,
  endpoint: new ElasticAddresses(stack, 'Addresses', { count: 6 }),
  image: { shareWithAccounts: ['444455556666'], copyToRegions: ['eu-west-1'], keep: 3 },
  server: { tlsPolicy: TlsPolicy.FIPS, maxSessions: 1_000 },
});
const operator = new Role(stack, 'Operator', { assumedBy: new ServicePrincipal('ssm.amazonaws.com') });
service.sessionLog.grantStart(operator);
const template = Template.fromStack(Stack.of(service));
const of = (type: string) => Object.values(template.findResources(type) as Resources);

/** Statements of the policies whose role is of this construct. */
function allowedTo(name: string): Resources[] {
  return of('AWS::IAM::Policy')
    .filter(({ Properties }) => JSON.stringify(Properties.Roles).includes(name))
    .flatMap(({ Properties }) => Properties.PolicyDocument.Statement);
}

describe('IPv6', () => {
  it('gives the network a range, every instance an address, and the name a record for each', () => {
    template.hasResourceProperties('AWS::EC2::VPCCidrBlock', { AmazonProvidedIpv6CidrBlock: true });
    template.hasResourceProperties('AWS::EC2::LaunchTemplate', { LaunchTemplateData: { NetworkInterfaces: [{ Ipv6AddressCount: 1 }] } });
    template.hasResourceProperties('AWS::EC2::Route', { DestinationIpv6CidrBlock: '::/0' });
    const [lambda] = of('AWS::Lambda::Function').filter(({ Properties }) => Properties.Environment?.Variables.ALLOCATION_IDS);
    expect(lambda.Properties.Environment.Variables.IPV6).toBe('true');
    const [record] = allowedTo('FtpsFleetAddresses').filter(({ Action }) => Action === 'route53:ChangeResourceRecordSets');
    expect(record!['Condition']['ForAllValues:StringEquals']['route53:ChangeResourceRecordSetsRecordTypes']).toEqual(['A', 'AAAA']);
    expect(template.findOutputs('*', { Description: 'IPv6 network that partners allow' })).not.toEqual({});
  });

  it('opens the same ports to the IPv6 networks given', () => {
    expect(inboundRules(template).filter((rule) => rule.includes('2001:'))).toEqual([
      '21-21 2001:db8::/32',
      '990-990 2001:db8::/32',
      '50000-50015 2001:db8::/32',
    ]);
  });

  it('is refused behind a load balancer, which would hide the clients', () => {
    const { stack: other, hostedZone } = testStack();
    const network = new ServiceNetwork(other, 'Network', { ipv6: true });
    const endpoint = new FtpsLoadBalancer(other, 'Balancer', { vpc: network.vpc, slots: 3 });
    expect(() => new FtpsService(other, 'Ftps', { domainName: 'ftps.example.com', hostedZone, clientCidrs, vpc: network.vpc, ipv6: true, endpoint })).toThrow(
      /ipv6: a network load balancer hides the addresses of IPv6 clients/,
    );
  });
});

it('a fleet with room grows by its sessions and by its traffic, and starts from a warm pool', () => {
  template.hasResourceProperties('AWS::AutoScaling::AutoScalingGroup', { MinSize: '2', MaxSize: '6' });
  template.hasResourceProperties('AWS::AutoScaling::WarmPool', { MinSize: 1, PoolState: 'Stopped' });
  const policies = of('AWS::AutoScaling::ScalingPolicy').map(({ Properties }) => Properties.TargetTrackingConfiguration);
  const metrics = policies.map((policy) => policy.PredefinedMetricSpecification?.PredefinedMetricType ?? policy.CustomizedMetricSpecification.MetricName);
  expect(metrics.sort()).toEqual(['ASGAverageNetworkIn', 'ASGAverageNetworkOut', 'Test-Ftps-Logs-Sessions']);
  expect(policies.find(({ CustomizedMetricSpecification }) => CustomizedMetricSpecification).TargetValue).toBe(500);
});

it('images are shared with their key, copied, and boot in FIPS mode where the server asks for it', () => {
  const [{ Properties }] = of('AWS::ImageBuilder::DistributionConfiguration') as [Resources];
  expect(Properties.Distributions.map(({ Region }: Resources) => flat(Region))).toEqual(
    ['eu-central-1', 'eu-west-1'].map((region, index) => (index ? region : '<AWS::Region>')),
  );
  expect(Properties.Distributions[0].AmiDistributionConfiguration.LaunchPermissionConfiguration.UserIds).toEqual(['444455556666']);
  const [key] = of('AWS::KMS::Key').filter(({ Properties: { Description } }) => Description === 'Volumes of FTPS images');
  const others = key.Properties.KeyPolicy.Statement.filter(({ Principal }: Resources) => JSON.stringify(Principal).includes('444455556666'));
  expect(others.flatMap(({ Action }: Resources) => Action).sort()).toEqual(
    ['kms:CreateGrant', 'kms:Decrypt', 'kms:DescribeKey', 'kms:GenerateDataKeyWithoutPlaintext', 'kms:ReEncryptFrom'].sort(),
  );
  expect(of('AWS::ImageBuilder::Component').some(({ Properties: { Name } }) => Name.includes('-Fips-'))).toBe(true);
});

it('the zone is made here and delegated in the other account by one role', () => {
  template.hasResourceProperties('AWS::Route53::HostedZone', { Name: 'ftps.example.com.' });
  template.hasResourceProperties('Custom::CrossAccountZoneDelegation', {
    AssumeRoleArn: 'arn:aws:iam::444455556666:role/delegates',
    ParentZoneName: 'example.com',
  });
  expect(
    () =>
      new DelegatedZone(stack, 'Wrong', { zoneName: 'ftps.example.org', parentZoneName: 'example.com', delegationRoleArn: 'arn:aws:iam::444455556666:role/r' }),
  ).toThrow(/zoneName: "ftps.example.org" does not lie in "example.com"; write it as ftps.example.com/);
});

describe('a session of Session Manager', () => {
  it('is logged, encrypted, and ends by itself', () => {
    const [document] = of('AWS::SSM::Document').filter(({ Properties }) => Properties.DocumentType === 'Session');
    const { inputs, sessionType } = document.Properties.Content;
    expect(sessionType).toBe('Standard_Stream');
    expect(inputs).toMatchObject({ cloudWatchEncryptionEnabled: true, cloudWatchStreamingEnabled: true, idleSessionTimeout: '15', maxSessionDuration: '60' });
    expect(template.findResources('AWS::Logs::LogGroup')[inputs.cloudWatchLogGroupName.Ref]!['Properties'].KmsKeyId).toBeDefined();
    expect(
      allowedTo('FtpsFleetRole').some(
        ({ Action, Resource }) => [Action].flat().includes('logs:PutLogEvents') && JSON.stringify(Resource).includes('FtpsSessionsLog'),
      ),
    ).toBe(true);
  });

  it('is started by that document alone', () => {
    const [start] = allowedTo('Operator').filter(({ Condition }) => Condition);
    expect(start).toMatchObject({ Action: 'ssm:StartSession', Condition: { BoolIfExists: { 'ssm:SessionDocumentAccessCheck': 'true' } } });
    expect(start!['Condition'].StringEquals['ssm:resourceTag/aws:autoscaling:groupName']).toBe('Test-Ftps-Fleet');
  });
});

describe('a network firewall', () => {
  const { stack: other, hostedZone } = testStack();
  const network = new ServiceNetwork(other, 'Network', { networkFirewall: true });
  new FtpsService(other, 'Ftps', {
    domainName: 'ftps.example.com',
    hostedZone,
    vpc: network.vpc,
    networkFirewall: network.firewall,
    endpoint: new ElasticAddresses(other, 'Addresses', { count: 2 }),
    clientCidrs: ['203.0.113.0/24'],
    server: { passivePorts: PassivePorts.AWS_TRANSFER_FAMILY },
  });
  const firewalled = Template.fromStack(other);
  const all = (type: string) => Object.values(firewalled.findResources(type) as Resources);

  it('lets in the ports of the service from its clients, lets out HTTPS, and drops the rest', () => {
    const [{ Properties }] = all('AWS::NetworkFirewall::RuleGroup') as [Resources];
    expect(Properties.RuleGroup.RulesSource.RulesString.split('\n').map((rule: string) => rule.replace(/ \(.*/, ''))).toEqual([
      'pass tcp [203.0.113.0/24] any -> $HOME_NET [21,990,8192:8200]',
      'pass tcp $HOME_NET any -> any 443',
    ]);
    firewalled.hasResourceProperties('AWS::NetworkFirewall::FirewallPolicy', {
      FirewallPolicy: { StatefulDefaultActions: ['aws:drop_strict', 'aws:alert_strict'], StatefulEngineOptions: { RuleOrder: 'STRICT_ORDER' } },
    });
  });

  it('lies on every way between the internet and the instances', () => {
    const routes = all('AWS::EC2::Route').map(({ Properties }) => Properties);
    const tablesOf = (pick: (route: Resources) => unknown) => routes.filter(pick).map(({ RouteTableId }) => RouteTableId.Ref as string);
    const toInternet = tablesOf(({ GatewayId }) => GatewayId);
    const toFirewall = tablesOf(({ VpcEndpointId, DestinationCidrBlock }) => VpcEndpointId && DestinationCidrBlock === '0.0.0.0/0');
    // Machines that build images have no way in, and a way out of their own.
    expect(toInternet.every((table) => /Firewall|Build/.test(table))).toBe(true);
    expect(toFirewall).toHaveLength(2);
    expect(toFirewall.every((table) => table.includes('Public'))).toBe(true);
    // And back: from the internet gateway to each subnet of the instances.
    expect(tablesOf(({ VpcEndpointId, DestinationCidrBlock }) => VpcEndpointId && DestinationCidrBlock !== '0.0.0.0/0')).toHaveLength(2);
    firewalled.resourceCountIs('AWS::EC2::GatewayRouteTableAssociation', 1);
  });
});
