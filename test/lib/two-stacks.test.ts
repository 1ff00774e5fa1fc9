/** Parts in a stack of their own, the service in another: what the other team has deployed already needs nothing of what comes later. */
import { App, CrossStackReferences, ReferenceStrength, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { HostedZone } from 'aws-cdk-lib/aws-route53';
import { FtpsLoadBalancer, FtpsService, S3Storage, SecretAccounts, ServerCertificate } from '../../lib';
import { env, type Resources } from './support';

interface Made {
  readonly parts: Template;
  readonly service: Template;
  /** Which stack says that it is deployed after which. */
  readonly after: Readonly<Record<string, string[]>>;
}

function synthesized(prepare: (parts: Stack, later: Stack) => void): Made {
  const app = new App();
  const [parts, later] = [new Stack(app, 'Parts', { env }), new Stack(app, 'Service', { env })];
  prepare(parts, later);
  const hostedZone = HostedZone.fromHostedZoneAttributes(parts, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' });
  const vpc = new Vpc(parts, 'Vpc', { natGateways: 0, maxAzs: 2, restrictDefaultSecurityGroup: false });
  new FtpsService(later, 'Ftps', {
    domainName: 'ftps.example.com',
    hostedZone,
    clientCidrs: ['203.0.113.0/24'],
    vpc,
    certificate: ServerCertificate.publicAcm(parts, 'Certificate', { domainName: 'ftps.example.com', hostedZone }),
    additionalCertificates: [ServerCertificate.publicAcm(parts, 'Second', { domainName: 'ftps.example.com', hostedZone })],
    endpoint: new FtpsLoadBalancer(parts, 'Balancer', { vpc, slots: 3 }),
    storage: new S3Storage(parts, 'Files'),
    accounts: new SecretAccounts(parts, 'Accounts'),
  });
  const assembly = app.synth();
  return {
    parts: Template.fromStack(parts),
    service: Template.fromStack(later),
    after: Object.fromEntries(assembly.stacks.map((one) => [one.stackName, one.dependencies.map(({ id }) => id).filter((id) => !id.endsWith('.assets'))])),
  };
}

describe.each([
  ['exports', () => undefined],
  ['weak references', (_: Stack, later: Stack) => CrossStackReferences.of(later).consume(ReferenceStrength.WEAK)],
  ['a dependency of yours', (parts: Stack, later: Stack) => later.addStackDependency(parts)],
] as const)('by %s', (_, prepare) => {
  const { parts, service, after } = synthesized(prepare);

  it('the parts are deployed first, and need nothing of the service', () => {
    expect(after).toEqual({ Parts: [], Service: ['Parts'] });
    expect(JSON.stringify(parts.toJSON())).not.toMatch(/Fn::ImportValue|Fn::GetStackOutput/);
  });

  it('the role of the instances is known to each secret by its tag, and nobody else may read', () => {
    const [, role] = Object.entries(service.findResources('AWS::IAM::Role') as Resources).find(([id]) => id.startsWith('FtpsFleetRole'))!;
    const tags = (role.Properties.Tags as { Key: string; Value: string }[]).map(({ Key, Value }) => [`aws:PrincipalTag/${Key}`, Value]);
    const policies = Object.values(parts.findResources('AWS::SecretsManager::ResourcePolicy') as Resources);
    expect(policies).toHaveLength(2);
    for (const { Properties } of policies) {
      const read = Properties.ResourcePolicy.Statement.find(({ Action }: Resources) => [Action].flat().includes('secretsmanager:GetSecretValue'));
      expect(read.Effect).toBe('Deny');
      expect(Object.keys(read.Condition)).toEqual(['ArnNotEquals', 'StringNotEquals']);
      for (const [key, value] of Object.entries(read.Condition.StringNotEquals)) expect(tags).toContainEqual([key, value]);
    }
  });

  it('the door is the load balancer’s, and the instances let in what comes through it', () => {
    parts.hasResourceProperties('AWS::EC2::SecurityGroup', { GroupDescription: 'FTPS: control ports and the passive range' });
    service.hasResourceProperties('AWS::EC2::SecurityGroup', { GroupDescription: 'FTPS instances: the load balancer alone' });
    const inbound = Object.values(service.findResources('AWS::EC2::SecurityGroupIngress') as Resources).map(({ Properties }) => Properties.FromPort);
    const outbound = Object.values(service.findResources('AWS::EC2::SecurityGroupEgress') as Resources).map(({ Properties }) => Properties.FromPort);
    expect(inbound.sort()).toEqual([21, 50_000, 990]);
    expect(outbound.sort()).toEqual([21, 50_000, 990]);
  });

  it('alarms of the parts reach the topic of the service', () => {
    const composite = Object.values(service.findResources('AWS::CloudWatch::CompositeAlarm') as Resources);
    const heard = composite.filter(({ Properties }) => /an alarm of Parts\/(Certificate|Second|Files|Balancer)/.test(Properties.AlarmDescription));
    expect(heard.length).toBeGreaterThanOrEqual(3);
    for (const { Properties } of heard) expect(Properties.AlarmActions).toHaveLength(1);
  });
});

it('in one stack, the secret names the role itself, and has no condition more', () => {
  const app = new App();
  const stack = new Stack(app, 'One', { env });
  const hostedZone = HostedZone.fromHostedZoneAttributes(stack, 'Zone', { hostedZoneId: 'Z0123456789EXAMPLE', zoneName: 'example.com' });
  new FtpsService(stack, 'Ftps', { domainName: 'ftps.example.com', hostedZone, clientCidrs: ['203.0.113.0/24'] });
  expect(JSON.stringify(Template.fromStack(stack).findResources('AWS::SecretsManager::ResourcePolicy'))).not.toContain('PrincipalTag');
});
