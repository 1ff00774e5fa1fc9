/** SFTP beside FTPS, by `server.sftp`: what is opened for it, and that nothing is anywhere without it. */
import { App, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { controls } from '../../../bin/evidence/controls';
import type { Subject } from '../../../bin/evidence/subject';
import { summarize } from '../../../bin/summary';
import {
  AuditLog,
  FtpsEnvironment,
  type FtpsEnvironmentOptions,
  FtpsLoadBalancer,
  FtpsSecurityGroup,
  type FtpsServerSettings,
  FtpsService,
  type FtpsServiceProps,
  FtpsStage,
  FtpsStageParts,
  HostKeys,
  PassivePorts,
  ServiceNetwork,
  type ServicePort,
  type SftpSettings,
  type SftpUserCertificates,
  TlsPolicy,
} from '../../../lib';
import { acknowledgeHouseRules } from '../../../lib/compliance/house-rules';
import { type ServerParts, serverConfig } from '../../../lib/server-config';
import { checkServerConfig } from '../../../server/config';
import { flat, inboundRules, nagFindings, type Resources, serviceTemplate, shippedSettings, testStack } from '../support';

const SFTP: Partial<FtpsServiceProps> = { server: { sftp: { port: 22 } } };
const template = serviceTemplate(SFTP);
const other = serviceTemplate({ server: { sftp: { port: 2022, scp: true } } });
const without = serviceTemplate();
const of = (one: Template, type: string) => Object.entries(one.findResources(type) as Resources);
const outputs = (one: Template) => one.toJSON()['Outputs'] as Resources;
const named = (all: Resources, part: string) => Object.entries(all).find(([id]) => id.includes(part))?.[1];

function service(props: Partial<FtpsServiceProps>, make: (stack: Stack) => Partial<FtpsServiceProps> = () => ({})): Template {
  const { stack, hostedZone } = testStack();
  new FtpsService(stack, 'Ftps', { domainName: 'ftps.example.com', hostedZone, clientCidrs: ['203.0.113.0/24'], ...props, ...make(stack) });
  return Template.fromStack(stack);
}

function environment(options: FtpsEnvironmentOptions, parts?: FtpsStageParts): [data: Template, service: Template, stage: FtpsStage] {
  const own = { name: 'test', domainName: 'ftps.example.com', hostedZoneId: 'Z0', zoneName: 'example.com', clientCidrs: ['203.0.113.0/24'] };
  const stage = new FtpsStage(new App(), 'Test', { settings: FtpsEnvironment.of(options, own), parts });
  return [Template.fromStack(stage.dataStack), Template.fromStack(stage.serviceStack), stage];
}

const guarded = environment({ networkFirewall: true, protect: false, server: { sftp: {} } });

describe('its port', () => {
  it('is open to the clients, and what the server listens on', () => {
    expect(
      inboundRules(template)
        .filter((rule) => !rule.startsWith('2049-'))
        .sort(),
    ).toEqual(['21-21', '22-22', '50000-50015', '990-990'].map((ports) => `${ports} 203.0.113.0/24`).sort());
    expect(shippedSettings(template)['sftp']).toMatchObject({ port: 22, scp: false });
    expect(named(outputs(template), 'SftpPort')).toMatchObject({ Value: '22' });
  });

  it('is another one where that is said', () => {
    expect(inboundRules(other)).toContain('2022-2022 203.0.113.0/24');
    expect(shippedSettings(other)['sftp']).toMatchObject({ port: 2022, scp: true });
    expect(serverConfig({ sftp: {} }, parts).sftp).toMatchObject({ port: 22 });
  });

  it('is a listener of the load balancer that leads to every instance, and no slice of it', () => {
    const balanced = service(SFTP, (stack) => {
      const { vpc } = new ServiceNetwork(stack, 'Network');
      return { vpc, endpoint: new FtpsLoadBalancer(stack, 'Balancer', { vpc, slots: 3, deletionProtection: false }) };
    });
    expect(of(balanced, 'AWS::ElasticLoadBalancingV2::Listener').map(([, { Properties }]) => Properties.Port)).toContain(22);
    const groups = of(balanced, 'AWS::ElasticLoadBalancingV2::TargetGroup');
    const [id, { Properties }] = groups.find(([, one]) => one.Properties.Port === 22)!;
    expect(Properties).toMatchObject({ HealthCheckPort: '21' });
    const [[, group]] = of(balanced, 'AWS::AutoScaling::AutoScalingGroup') as [[string, Resources]];
    expect(JSON.stringify(group['Properties'].TargetGroupARNs)).toContain(id);
    expect(group['Properties'].TargetGroupARNs).toHaveLength(3);
    const from = of(balanced, 'AWS::EC2::SecurityGroupEgress').map(([, one]) => one.Properties.FromPort);
    expect(from.concat(inboundRules(balanced).filter((rule) => rule.startsWith('22-22 ')))).toEqual(
      expect.arrayContaining(['22-22 203.0.113.0/24', '22-22 a security group']),
    );
  });

  it('takes a listener from the passive ports', () => {
    const crowded = (passivePorts: PassivePorts, furtherPorts: ServicePort[]) => {
      const { stack } = testStack();
      const vpc = new Vpc(stack, 'Vpc');
      const ports = { controlPorts: [21, 990], passivePorts, furtherPorts };
      const door = new FtpsSecurityGroup(stack, 'Door', { vpc, clientCidrs: ['203.0.113.0/24'], ...ports });
      new FtpsLoadBalancer(stack, 'Balancer', { vpc, slots: 3 }).open(door, ports);
    };
    expect(() => crowded(PassivePorts.of(50_000, 50_047), [])).not.toThrow();
    expect(() => crowded(PassivePorts.of(50_000, 50_047), [{ protocol: 'SFTP', port: 22 }])).toThrow(
      /of which 47 are left beside 2 control ports and SFTP\. 50000-50046 would fit/,
    );
  });

  it('passes the network firewall', () => {
    const [[, rules]] = of(guarded[0], 'AWS::NetworkFirewall::RuleGroup') as [[string, Resources]];
    expect(flat(rules['Properties'].RuleGroup.RulesSource.RulesString)).toContain('$HOME_NET [21,990,50000:50015,22]');
  });
});

const parts: ServerParts = {
  certificateSecretIds: ['certificate'],
  storage: { storage: { kind: 'local', root: '/srv/ftps' }, scannedElsewhere: false },
  identity: [{ kind: 'secrets', prefix: 'partners/' }],
  advertisedAddress: 'auto',
  hostKeySecretId: 'host-keys',
};

it.each<[string, FtpsServerSettings, RegExp]>([
  [
    'the port of another listener',
    { sftp: { port: 990 } },
    / {2}server\.sftp\.port: 990 is already taken by server\.implicitPort; give SFTP a port of its own/,
  ],
  ['a passive port', { sftp: { port: 50_003 } }, / {2}server\.sftp\.port: 50003 lies in server\.passivePorts 50000-50015/],
  ['the port of the health check', { sftp: { port: 9990 } }, / {2}server\.sftp\.port: 9990 is where an instance is asked whether it is well/],
  ['any port', { sftp: { port: 0 } }, /sftp\.port: 0 is any port/],
  ['no port', { sftp: { port: 70_000 } }, /sftp\.port/],
  ['its block without it', { overrides: { sftp: { port: 22 } } }, / {2}server\.overrides\.sftp\.port: is for SFTP, which is off; server\.sftp opens its port/],
  ['another port beside it', { sftp: {}, overrides: { sftp: { port: 2022 } } }, /overrides\.sftp\.port: follows from server\.sftp\.port/],
  ['other keys beside it', { sftp: {}, overrides: { sftp: { hostKeys: [] } } }, /overrides\.sftp\.hostKeys: follows from hostKeys/],
])('%s is refused', (_, settings, message) => {
  expect(() => serverConfig(settings, parts)).toThrow(message);
});

it('what has no prop is said by overrides, as of FTPS', () => {
  expect(serverConfig({ sftp: {}, overrides: { sftp: { tries: 6, attributes: 'refuse' } } }, parts).sftp).toMatchObject({
    port: 22,
    tries: 6,
    attributes: 'refuse',
  });
});

describe('certificates of users', () => {
  const authority = `ssh-ed25519 ${Buffer.concat([Buffer.from([0, 0, 0, 11]), Buffer.from('ssh-ed25519'), Buffer.from([0, 0, 0, 32]), Buffer.alloc(32, 7)]).toString('base64')} ca`;
  const userCertificates = { authorities: [authority], revoked: ['serial:17-20', 'id:bob@laptop'] };

  it('are told to the server, and the instances may read the one object that has what was revoked', () => {
    const list = service({}, (stack) => {
      const { bucketName } = new Bucket(stack, 'Authority');
      return { server: { sftp: { userCertificates: { ...userCertificates, revocationList: `s3://${bucketName}/lists/revoked.krl` } } } };
    });
    const [[bucket]] = of(list, 'AWS::S3::Bucket').filter(([id]) => id.startsWith('Authority')) as [[string, Resources]];
    expect(shippedSettings(list)['sftp'].userCertificates).toMatchObject({ ...userCertificates, revocationList: `s3://<${bucket}>/lists/revoked.krl` });
    const reads = of(list, 'AWS::IAM::Policy')
      .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement as Resources[])
      .filter(({ Resource }) => JSON.stringify(Resource).includes(`"${bucket}"`));
    expect(reads.map(({ Action, Resource }) => [Action, flat(Resource)])).toEqual([
      ['s3:GetObject', `arn:<AWS::Partition>:s3:::<${bucket}>/lists/revoked.krl`],
    ]);
  });

  it('are said of environments as well', () => {
    const [, instances] = environment({ server: { sftp: { userCertificates: { ...userCertificates, revocationList: 's3://ours/revoked.krl' } } } });
    expect(shippedSettings(instances)['sftp'].userCertificates).toMatchObject({ ...userCertificates, revocationList: 's3://ours/revoked.krl' });
    expect(JSON.stringify(instances.findResources('AWS::IAM::Policy'))).toContain(':s3:::ours/revoked.krl"');
    expect(() => environment({ server: { sftp: { userCertificates: { authority: [authority] } as never } } })).toThrow(
      /server\.sftp\.userCertificates\.authority: is not a setting; there are authorities, revoked, revocationList/,
    );
    expect(() => environment({ server: { sftp: { userCertificates: { authorities: authority as never } } } })).toThrow(
      /server\.sftp\.userCertificates\.authorities: .* is wrong; expected list of texts/,
    );
  });

  it.each<[string, SftpUserCertificates, RegExp]>([
    [
      'an authority that is no key',
      { authorities: ['ca.pub'] },
      /sftp\.userCertificates\.authorities\[0\]: "ca\.pub": expected a line as `ssh-keygen` writes it/,
    ],
    ['what names no key', { revoked: ['bob'] }, /sftp\.userCertificates\.revoked\[0\]: "bob": expected SHA256:/],
    ['a file', { revocationList: '/etc/ftps/revoked.krl' }, /sftp\.userCertificates\.revocationList: "\/etc\/ftps\/revoked\.krl" is no object of S3/],
    ['a folder', { revocationList: 's3://ours/lists/' }, /is no object of S3/],
    ['more than one object', { revocationList: 's3://ours/*' }, /is no object of S3/],
  ])('%s is refused', (_, one, message) => {
    expect(() => serverConfig({ sftp: { userCertificates: one } }, parts)).toThrow(message);
  });

  it('of an Ed25519 authority are refused where FIPS is kept to', () => {
    const fips = { tlsPolicy: TlsPolicy.FIPS, sftp: { userCertificates } };
    expect(() => serverConfig(fips, parts)).toThrow(
      / {2}server\.sftp\.userCertificates\.authorities\[0\]: is an Ed25519 key, which server\.tlsPolicy "fips" does not take/,
    );
    const rules = [{ account: { home: '/', sshCertificates: { authorities: userCertificates.authorities } } }];
    const directory = { kind: 'directory', servers: ['ldaps://ldap.example.com'], users: { base: 'dc=example' }, rules };
    const bind = { kind: 'service', dn: 'cn=ftps', passwordSecretId: 'directory' };
    expect(() => serverConfig({ tlsPolicy: TlsPolicy.FIPS, sftp: {} }, { ...parts, identity: [{ ...directory, bind }] })).toThrow(
      / {2}accounts\.rules\[0\]\.sshCertificates\.authorities\[0\]: is an Ed25519 key/,
    );
    expect(() => serverConfig({ ...fips, sftp: { userCertificates: { revoked: userCertificates.revoked } } }, parts)).not.toThrow();
  });

  it('are said in one place', () => {
    const overrides = { sftp: { userCertificates: { revocationList: 's3://ours/revoked.krl' } } };
    expect(() => serverConfig({ sftp: {}, overrides }, parts)).toThrow(
      /overrides\.sftp\.userCertificates\.revocationList: follows from server\.sftp\.userCertificates\.revocationList/,
    );
    const { sftp } = serverConfig({ sftp: { userCertificates }, overrides: { sftp: { userCertificates: { pollSeconds: 60 } } } }, parts);
    expect(sftp!.userCertificates).toMatchObject({ ...userCertificates, pollSeconds: 60 });
  });

  it('misspelt ones are refused', () => {
    expect(() => serviceTemplate({ server: { sftp: { userCertificates: { authority: [authority] } as never } } })).toThrow(
      /server\.sftp\.userCertificates\.authority: is unknown to SftpUserCertificates/,
    );
  });
});

it('a misspelt setting is refused', () => {
  expect(() => serviceTemplate({ server: { sftp: { prot: 22 } as SftpSettings } })).toThrow(
    /server\.sftp\.prot: is unknown to SftpSettings; there are port, scp/,
  );
});

it('host keys without it are refused', () => {
  expect(() => service({}, (stack) => ({ hostKeys: HostKeys.generated(stack, 'Keys') }))).toThrow(/hostKeys: are those of SFTP, which is off/);
});

describe('its host keys', () => {
  const [[secretId, secret]] = of(template, 'AWS::SecretsManager::Secret').filter(([id]) => id.includes('HostKeys')) as [[string, Resources]];
  const [[resourceId, resource]] = of(template, 'Custom::FtpsHostKeys') as [[string, Resources]];

  it('are in an empty secret that CloudFormation never writes to, deletes or exchanges', () => {
    expect(secret['Properties']).toEqual({ Description: expect.any(String), KmsKeyId: expect.anything() });
    expect([secret['DeletionPolicy'], secret['UpdateReplacePolicy']]).toEqual(['RetainExceptOnCreate', 'Retain']);
    const key = named(Object.fromEntries(of(template, 'AWS::KMS::Key')), 'HostKeys') as Resources;
    expect([key['DeletionPolicy'], key['UpdateReplacePolicy'], key['Properties'].EnableKeyRotation]).toEqual(['RetainExceptOnCreate', 'Retain', true]);
  });

  it('are made before the first instance needs them, and read by all', () => {
    expect(shippedSettings(template)['sftp'].hostKeys).toMatchObject([{ kind: 'secret', secretId: `<${secretId}>` }]);
    const [[, group]] = of(template, 'AWS::AutoScaling::AutoScalingGroup') as [[string, Resources]];
    expect(group['DependsOn']).toContain(resourceId);
  });

  it('are told by their public halves, with the host name and port that clients look for', () => {
    expect(resource['Properties']).toMatchObject({ Secret: { Ref: secretId }, Hosts: 'ftps.example.com', Fips: 'false' });
    expect(named(outputs(template), 'KnownHosts')).toMatchObject({ Value: { 'Fn::GetAtt': [resourceId, 'KnownHosts'] } });
    expect(Object.values(outputs(template))).toContainEqual(expect.objectContaining({ Value: { 'Fn::GetAtt': [resourceId, 'Fingerprints'] } }));
    expect((of(other, 'Custom::FtpsHostKeys')[0]![1] as Resources)['Properties'].Hosts).toBe('[ftps.example.com]:2022');
  });

  it('can be those of an old server, which the Lambda may read and nobody may write', () => {
    const imported = service(SFTP, (stack) => ({
      hostKeys: HostKeys.fromSecret(
        stack,
        'Keys',
        Secret.fromSecretAttributes(stack, 'Old', {
          secretCompleteArn: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:old-a1B2c3',
          encryptionKey: Key.fromKeyArn(stack, 'OldKey', 'arn:aws:kms:eu-central-1:111122223333:key/old'),
        }),
      ),
    }));
    expect(of(imported, 'AWS::SecretsManager::Secret').filter(([id]) => id.includes('Keys'))).toEqual([]);
    expect(shippedSettings(imported)['sftp'].hostKeys).toMatchObject([
      { kind: 'secret', secretId: 'arn:aws:secretsmanager:eu-central-1:111122223333:secret:old-a1B2c3' },
    ]);
    const writers = of(imported, 'AWS::IAM::Policy').filter(([, one]) => /PutSecretValue/.test(JSON.stringify(one)) && /old-a1B2c3/.test(JSON.stringify(one)));
    expect(writers).toEqual([]);
    const lambda = named(Object.fromEntries(of(imported, 'AWS::Lambda::Function')), 'KeysLambda') as Resources;
    expect(lambda['Properties'].Environment.Variables).toMatchObject({ MAKES: 'false' });
  });

  it('call somebody when they can no longer be read', () => {
    const alarms = of(template, 'AWS::CloudWatch::Alarm').filter(([id]) => id.includes('HostKeys'));
    expect(alarms.map(([, { Properties }]) => Properties.AlarmDescription)).toEqual(
      expect.arrayContaining([expect.stringMatching(/^Failed: Makes the host keys of SFTP once, and looks every day whether/)]),
    );
    expect(alarms.map(([, { Properties }]) => Properties.MetricName)).toContain('Test-Ftps-Logs-SftpHostKeysRefused');
    for (const [, { Properties }] of alarms) expect(Properties.AlarmActions).toHaveLength(1);
  });

  it('lie with the data of an environment, and parts of yours take their place', () => {
    const [data, instances, stage] = guarded;
    expect(of(data, 'Custom::FtpsHostKeys')).toHaveLength(1);
    expect(of(instances, 'Custom::FtpsHostKeys')).toHaveLength(0);
    expect(named(outputs(data), 'KnownHosts')).toBeDefined();
    expect(stage.service.hostKeys?.node.path).toContain('/Data/');
    class Own extends FtpsStageParts {
      public override hostKeys(dataStack: Stack) {
        return HostKeys.fromSecret(dataStack, 'Old', Secret.fromSecretNameV2(dataStack, 'OldSecret', 'old'));
      }
    }
    expect(of(environment({ server: { sftp: {} } }, new Own())[0], 'AWS::SecretsManager::Secret')).toEqual([]);
  });

  it('go with an environment that is not protected', () => {
    expect((of(guarded[0], 'AWS::SecretsManager::Secret')[0]![1] as Resources)['DeletionPolicy']).toBe('Delete');
  });
});

describe('what happens over it', () => {
  const metrics = (one: Template) => of(one, 'AWS::Logs::MetricFilter').map(([, { Properties }]) => Properties.MetricTransformations[0].MetricName as string);
  const board = (one: Template) => flat((of(one, 'AWS::CloudWatch::Dashboard')[0]![1] as Resources)['Properties'].DashboardBody);

  it('is counted by itself', () => {
    const more = new Set(metrics(template).filter((name) => !metrics(without).includes(name)));
    const names = ['Logins', 'FailedLogins', 'HandshakeFailures', 'Uploads', 'Downloads', 'TransferErrors', 'HostKeysRefused'];
    expect([...more].sort()).toEqual(names.map((name) => `Test-Ftps-Logs-Sftp${name}`).sort());
  });

  it('is on the dashboard, and in saved queries', () => {
    for (const words of ['Transfers by SFTP', 'Logins by SFTP', 'TLS and SSH handshakes', 'FTPS and SFTP. Numbers']) {
      expect(board(template)).toContain(words);
      expect(board(without)).not.toContain(words);
    }
    const saved = of(template, 'AWS::Athena::NamedQuery').map(([, { Properties }]) => Properties.Name);
    expect(saved).toEqual(expect.arrayContaining(['sessions-by-protocol', 'ssh-sessions-of-an-account']));
    const once = of(without, 'AWS::Athena::NamedQuery').map(([, { Properties }]) => Properties.Name);
    expect(saved.filter((name) => !once.includes(name)).sort()).toEqual(['sessions-by-protocol', 'ssh-sessions-of-an-account']);
  });

  it('goes into the alarms that there are', () => {
    const words = (one: Template) => named(Object.fromEntries(of(one, 'AWS::CloudWatch::Alarm')), 'HandshakeFailures').Properties.AlarmDescription;
    expect([words(without), words(template)]).toEqual(['FTPS: Many TLS handshakes fail.', 'FTPS: Many TLS or SSH handshakes fail.']);
  });

  it('has metrics for alarms of yours', () => {
    const { stack } = testStack();
    const auditLog = new AuditLog(stack, 'Logs');
    expect(() => auditLog.metricOfProtocol('SFTP', 'Logins')).toThrow(/SFTP is not counted by itself here/);
    auditLog.addProtocol('SFTP');
    auditLog.addProtocol('SFTP');
    expect(auditLog.metricOfProtocol('SFTP', 'Logins')).toMatchObject({ metricName: 'Test-Logs-SftpLogins', statistic: 'Sum' });
    expect(() => auditLog.metricOfProtocol('SFTP', 'Logouts')).toThrow(/there is Logins, FailedLogins, HandshakeFailures/);
    expect(() => auditLog.addProtocol('GOPHER')).toThrow(/"GOPHER" is none beside FTPS; there is SFTP, HTTPS/);
  });
});

it('the evidence shows its port and its host keys', () => {
  const resources = new Map(Object.entries(template.toJSON()['Resources'] as Resources).map(([id, one]) => [`test/${id}`, one]));
  const subject = { resources, server: checkServerConfig(shippedSettings(template)) } as unknown as Subject;
  const shown = (text: string, of = subject) =>
    controls
      .flatMap(({ claims = [] }) => claims)
      .find((claim) => claim.text.startsWith(text))!
      .show(of);
  expect(shown('the security group lets in exactly the ports')).toHaveLength(1);
  expect(shown('host keys of SFTP, where it is on')).toHaveLength(3);
  const alarm = [...resources].find(([id]) => id.includes('AlarmsSftpHostKeysRefused'))!;
  alarm[1].Properties.AlarmActions = [];
  expect(shown('host keys of SFTP, where it is on')).toEqual([]);
});

it('the summary names the ports of each protocol', () => {
  const lines = (one: Template) => summarize({ Resources: one.toJSON()['Resources'] })[0];
  expect([lines(template), lines(without)]).toEqual([
    'open ports     FTPS 21, 990, 50000-50015; SFTP 22 from 203.0.113.0/24',
    'open ports     21, 990, 50000-50015 from 203.0.113.0/24',
  ]);
});

it('environments refuse what they do not know of it', () => {
  expect(() => environment({ server: { sftp: { port: '22' } as unknown as SftpSettings } })).toThrow(/server\.sftp\.port: "22" is wrong; expected number/);
  expect(() => environment({ server: { sftp: { hostKeys: 1 } as SftpSettings } })).toThrow(/server\.sftp\.hostKeys: is not a setting; there are port, scp/);
});

it('without it there is nothing of it', () => {
  const text = JSON.stringify(without.toJSON());
  expect(text).not.toMatch(/sftp|ssh-established|HostKey/i);
});

it('AWS Solutions, HIPAA, NIST and PCI DSS find nothing in the host keys', () => {
  const findings = nagFindings((stack) => {
    acknowledgeHouseRules(stack);
    const keys = HostKeys.generated(stack, 'Keys');
    keys.addAlarmAction({ bind: () => ({ alarmActionArn: 'arn:aws:sns:eu-central-1:111122223333:topic' }) });
    keys.grantRead(new Role(stack, 'Role', { assumedBy: new ServicePrincipal('ec2.amazonaws.com') }));
  });
  expect(findings).toEqual([]);
});
