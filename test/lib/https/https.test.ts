/** HTTPS beside FTPS, by `server.https`: what is opened for it, and that nothing is anywhere without it. */
import { App, Duration } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { controls } from '../../../bin/evidence/controls';
import type { Subject } from '../../../bin/evidence/subject';
import { summarize } from '../../../bin/summary';
import {
  ClientCertificates,
  FtpsEnvironment,
  type FtpsEnvironmentOptions,
  FtpsLoadBalancer,
  FtpsSecurityGroup,
  type FtpsServerSettings,
  FtpsService,
  FtpsStage,
  type HttpsLinks,
  type HttpsSettings,
  PassivePorts,
  ServiceNetwork,
} from '../../../lib';
import { type ServerParts, serverConfig } from '../../../lib/server-config';
import { checkServerConfig } from '../../../server/config';
import { flat, inboundRules, type Resources, serviceTemplate, shippedSettings, testStack } from '../support';

const template = serviceTemplate({ server: { https: {} } });
const both = serviceTemplate({ server: { sftp: {}, https: { port: 8443 } } });
const without = serviceTemplate();
const of = (one: Template, type: string) => Object.entries(one.findResources(type) as Resources);
const named = (all: Resources, part: string) => Object.entries(all).find(([id]) => id.includes(part))?.[1];
const outputs = (one: Template) => one.toJSON()['Outputs'] as Resources;

const parts: ServerParts = {
  certificateSecretIds: ['certificate'],
  storage: { storage: { kind: 'local', root: '/srv/ftps' }, scannedElsewhere: false },
  identity: [{ kind: 'secrets', prefix: 'partners/' }],
  advertisedAddress: 'auto',
  hostKeySecretId: 'host-keys',
};

function environment(options: FtpsEnvironmentOptions): [data: Template, service: Template] {
  const own = { name: 'test', domainName: 'ftps.example.com', hostedZoneId: 'Z0', zoneName: 'example.com', clientCidrs: ['203.0.113.0/24'] };
  const { dataStack, serviceStack } = new FtpsStage(new App(), 'Test', { settings: FtpsEnvironment.of(options, own) });
  return [Template.fromStack(dataStack), Template.fromStack(serviceStack)];
}

describe('its port', () => {
  it('is open to the clients, and what the server listens on', () => {
    expect(
      inboundRules(template)
        .filter((rule) => !rule.startsWith('2049-'))
        .sort(),
    ).toEqual(['21-21', '443-443', '50000-50015', '990-990'].map((ports) => `${ports} 203.0.113.0/24`).sort());
    expect(shippedSettings(template)['https']).toMatchObject({ port: 443, clientCertificates: 'off', signInSeconds: 43_200, signInIdleSeconds: 900 });
    expect(named(outputs(template), 'HttpsPort')).toMatchObject({ Value: '443' });
  });

  it('is told as the address of the page', () => {
    expect(named(outputs(template), 'HttpsAddress')).toMatchObject({ Value: 'https://ftps.example.com/' });
    expect(named(outputs(both), 'HttpsAddress')).toMatchObject({ Value: 'https://ftps.example.com:8443/' });
    expect(inboundRules(both)).toEqual(expect.arrayContaining(['8443-8443 203.0.113.0/24', '22-22 203.0.113.0/24']));
  });

  it('is a listener of the load balancer that leads to every instance, and no slice of it', () => {
    const { stack, hostedZone } = testStack();
    const { vpc } = new ServiceNetwork(stack, 'Network');
    const endpoint = new FtpsLoadBalancer(stack, 'Balancer', { vpc, slots: 3, deletionProtection: false });
    const clients = { domainName: 'ftps.example.com', hostedZone, clientCidrs: ['203.0.113.0/24'] };
    new FtpsService(stack, 'Ftps', { ...clients, vpc, endpoint, server: { https: {} } });
    const balanced = Template.fromStack(stack);
    expect(of(balanced, 'AWS::ElasticLoadBalancingV2::Listener').map(([, { Properties }]) => Properties.Port)).toContain(443);
    const [id, { Properties }] = of(balanced, 'AWS::ElasticLoadBalancingV2::TargetGroup').find(([, one]) => one.Properties.Port === 443)!;
    expect(Properties).toMatchObject({ Protocol: 'TCP', HealthCheckPort: '21' });
    expect(Properties.TargetGroupAttributes).toEqual(
      expect.arrayContaining([
        { Key: 'preserve_client_ip.enabled', Value: 'true' },
        { Key: 'stickiness.enabled', Value: 'true' },
        { Key: 'stickiness.type', Value: 'source_ip' },
      ]),
    );
    expect(JSON.stringify(of(balanced, 'AWS::ElasticLoadBalancingV2::TargetGroup')).match(/stickiness\.enabled/g)).toHaveLength(1);
    const [[, group]] = of(balanced, 'AWS::AutoScaling::AutoScalingGroup') as [[string, Resources]];
    expect(JSON.stringify(group['Properties'].TargetGroupARNs)).toContain(id);
    expect(inboundRules(balanced)).toEqual(expect.arrayContaining(['443-443 203.0.113.0/24', '443-443 a security group']));
    // Elastic Load Balancing user guide, "Connection idle timeout" of listeners: 350 seconds of TCP where nothing else is said. The server is done sooner.
    expect(of(balanced, 'AWS::ElasticLoadBalancingV2::Listener').every(([, one]) => one.Properties.ListenerAttributes === undefined)).toBe(true);
    expect(shippedSettings(balanced)['https'].keepAliveSeconds).toBeLessThan(350);
  });

  it('takes a listener from the passive ports, as those of other protocols do', () => {
    const { stack } = testStack();
    const vpc = new Vpc(stack, 'Vpc');
    const further = ['SFTP', 'HTTPS'].map((protocol, index) => ({ protocol, port: [22, 443][index]! }));
    const ports = { controlPorts: [21, 990], passivePorts: PassivePorts.of(50_000, 50_046), furtherPorts: further };
    const door = new FtpsSecurityGroup(stack, 'Door', { vpc, clientCidrs: ['203.0.113.0/24'], ...ports });
    expect(() => new FtpsLoadBalancer(stack, 'Balancer', { vpc, slots: 3 }).open(door, ports)).toThrow(
      /of which 46 are left beside 2 control ports, SFTP and HTTPS\. 50000-50045 would fit/,
    );
  });

  it('passes the network firewall, of environments as well', () => {
    const [data, service] = environment({ networkFirewall: true, protect: false, server: { https: {} } });
    const [[, rules]] = of(data, 'AWS::NetworkFirewall::RuleGroup') as [[string, Resources]];
    expect(flat(rules['Properties'].RuleGroup.RulesSource.RulesString)).toContain('$HOME_NET [21,990,50000:50015,443]');
    expect(shippedSettings(service)['https']).toMatchObject({ port: 443 });
  });
});

it('each prop is a setting of the server', () => {
  const settings: Required<HttpsSettings> = {
    port: 8443,
    clientCertificates: ClientCertificates.REQUIRED,
    requestsPerMinute: 60,
    signInTimeout: Duration.hours(2),
    signInIdleTimeout: Duration.minutes(5),
    uploadIdleTimeout: Duration.days(1),
    issuers: [], // test/lib/https/issuers.test.ts
    links: { defaultDuration: Duration.days(3), maxDuration: Duration.days(60), maxUses: 5, maxPerAccount: 10 },
  };
  expect(serverConfig({ https: settings }, { ...parts, clientTrust: { authorities: 's3://ours/authorities.pem' } }).https).toMatchObject({
    port: 8443,
    clientCertificates: 'required',
    requestsPerMinute: 60,
    signInSeconds: 7_200,
    signInIdleSeconds: 300,
    uploadIdleSeconds: 86_400,
    links: { defaultSeconds: 259_200, maxSeconds: 5_184_000, mostUses: 5, perAccount: 10 },
  });
});

it('sign-ins are shared by all instances, in the table of lock-outs', () => {
  expect(serverConfig({ https: {} }, { ...parts, lockoutTable: 'lockouts' }).https).toMatchObject({ signInTable: 'lockouts' });
  expect(serverConfig({ https: {} }, parts).https).not.toHaveProperty('signInTable');
  const [[id]] = of(template, 'AWS::DynamoDB::Table') as [[string, Resources]];
  expect(shippedSettings(template)['https'].signInTable).toBe(`<${id}>`);
});

it('a sign-in lasts idle as long as any other session', () => {
  expect(serverConfig({ https: {}, idleTimeout: Duration.minutes(10) }, parts).https).toMatchObject({ signInIdleSeconds: 600 });
});

it.each<[string, FtpsServerSettings, RegExp]>([
  ['the port of another listener', { https: { port: 990 } }, / {2}server\.https\.port: 990 is already taken by server\.implicitPort/],
  ['the port of SFTP', { sftp: { port: 443 }, https: {} }, / {2}server\.https\.port: 443 is already taken by server\.sftp\.port/],
  ['a passive port', { https: { port: 50_003 } }, / {2}server\.https\.port: 50003 lies in server\.passivePorts/],
  ['the port of the health check', { https: { port: 9990 } }, / {2}server\.https\.port: 9990 is where an instance is asked whether it is well/],
  ['any port', { https: { port: 0 } }, /https\.port: 0 is any port/],
  ['a sign-in of no time', { https: { signInTimeout: Duration.seconds(0) } }, / {2}server\.https\.signInTimeout: /],
  ['links of no use', { https: { links: { maxUses: 0 } } }, / {2}server\.https\.links\.maxUses: /],
  ['no requests', { https: { requestsPerMinute: 0 } }, /https\.requestsPerMinute/],
  [
    'certificates without authorities',
    { https: { clientCertificates: ClientCertificates.OPTIONAL } },
    / {2}clientTrust: is missing; server\.https\.clientCertificates/,
  ],
  ['its block without it', { overrides: { https: { port: 443 } } }, /overrides\.https\.port: is for HTTPS, which is off; server\.https opens its port/],
  ['another port beside it', { https: {}, overrides: { https: { port: 8443 } } }, /overrides\.https\.port: follows from server\.https\.port/],
  [
    'what has a prop',
    { https: {}, overrides: { https: { signInSeconds: 60 } } },
    /overrides\.https\.signInSeconds: follows from server\.https\.signInTimeout; say it there/,
  ],
])('%s is refused', (_, settings, message) => {
  expect(() => serverConfig(settings, parts)).toThrow(message);
});

it('links are off until they are said', () => {
  expect(serverConfig({ https: {} }, parts).https?.links).toBeUndefined();
  expect(serverConfig({ https: { links: {} } }, parts).https?.links).toEqual({
    defaultSeconds: 604_800,
    maxSeconds: 2_592_000,
    mostUses: 100,
    perAccount: 100,
  });
  expect(() => serverConfig({ https: { links: { defaultDuration: Duration.days(40) } } }, parts)).toThrow(
    / {2}server\.https\.links\.defaultDuration: 3456000 is more than server\.https\.links\.maxDuration 2592000; choose at most that/,
  );
  expect(() => environment({ server: { https: { links: { uses: 3 } as HttpsLinks } } })).toThrow(
    /server\.https\.links\.uses: is not a setting; there are defaultDuration/,
  );
});

it('what has no prop is said by overrides', () => {
  expect(serverConfig({ https: {}, overrides: { https: { headSeconds: 5 } } }, parts).https).toMatchObject({ port: 443, headSeconds: 5 });
});

it('misspelt and wrong settings are refused', () => {
  expect(() => serviceTemplate({ server: { https: { prot: 443 } as HttpsSettings } })).toThrow(/server\.https\.prot: is unknown to HttpsSettings; .*port/);
  expect(() => environment({ server: { https: { signInTimeout: 60 } as unknown as HttpsSettings } })).toThrow(
    /server\.https\.signInTimeout: 60 is wrong; expected Duration\.days/,
  );
  expect(() => environment({ server: { https: { page: true } as HttpsSettings } })).toThrow(/server\.https\.page: is not a setting; there are port, /);
});

describe('what happens over it', () => {
  const metrics = (one: Template) => of(one, 'AWS::Logs::MetricFilter').map(([, { Properties }]) => Properties.MetricTransformations[0].MetricName as string);
  const board = (one: Template) => flat((of(one, 'AWS::CloudWatch::Dashboard')[0]![1] as Resources)['Properties'].DashboardBody);
  const alarms = (one: Template) => of(one, 'AWS::CloudWatch::Alarm').map(([, { Properties }]) => Properties);
  const saved = (one: Template) => of(one, 'AWS::Athena::NamedQuery').map(([, { Properties }]) => Properties.Name as string);

  it('is counted by itself', () => {
    const more = new Set(metrics(template).filter((name) => !metrics(without).includes(name)));
    const names = ['Logins', 'FailedLogins', 'HandshakeFailures', 'Uploads', 'Downloads', 'TransferErrors', 'ServerErrors'];
    expect([...more].sort()).toEqual(names.map((name) => `Test-Ftps-Logs-Https${name}`).sort());
  });

  it('is on the dashboard, and in saved queries', () => {
    for (const words of ['Transfers by HTTPS', 'Logins by HTTPS', 'Ways in over HTTPS', 'Tokens by use', 'FTPS and HTTPS. Numbers']) {
      expect(board(template)).toContain(words);
      expect(board(without)).not.toContain(words);
    }
    for (const words of ['FTPS, SFTP and HTTPS. Numbers', 'TLS and SSH handshakes']) expect(board(both)).toContain(words);
    expect(board(template)).toContain('TLS handshakes');
    const added = ['https-requests-refused', 'sessions-by-protocol', 'tokens-in-use'];
    expect(
      saved(template)
        .filter((name) => !saved(without).includes(name))
        .sort(),
    ).toEqual(added);
    expect(saved(both)).toEqual(expect.arrayContaining([...added, 'ssh-sessions-of-an-account']));
    expect(new Set(saved(both)).size).toBe(saved(both).length);
  });

  it('calls somebody by the alarms that there are, and where the server itself has an error', () => {
    const words = (one: Template) => alarms(one).find(({ AlarmDescription }) => /handshakes fail/.test(AlarmDescription)).AlarmDescription;
    expect([words(template), words(both)]).toEqual(['FTPS: Many TLS handshakes fail.', 'FTPS: Many TLS or SSH handshakes fail.']);
    const errors = alarms(template).filter(({ MetricName }) => MetricName === 'Test-Ftps-Logs-HttpsServerErrors');
    expect(errors).toEqual([expect.objectContaining({ AlarmDescription: expect.stringMatching(/^FTPS: A request over HTTPS met an error/), Threshold: 1 })]);
    expect(errors[0].AlarmActions).toHaveLength(1);
  });
});

it('the evidence shows its port, and that a sign-in that is idle ends', () => {
  const resources = new Map(Object.entries(template.toJSON()['Resources'] as Resources).map(([id, one]) => [`test/${id}`, one]));
  const shown = (text: string, settings: object = {}) => {
    const shipped = shippedSettings(template);
    const subject = { resources, server: checkServerConfig({ ...shipped, https: { ...shipped['https'], ...settings } }) } as unknown as Subject;
    return controls
      .flatMap(({ claims = [] }) => claims)
      .find((claim) => claim.text.startsWith(text))!
      .show(subject);
  };
  expect(shown('the security group lets in exactly the ports')).toHaveLength(1);
  expect(shown('the security group lets in exactly the ports', { port: 8443 })).toHaveLength(0);
  expect(shown('and so does a sign-in over HTTPS')).toHaveLength(1);
  expect(shown('and so does a sign-in over HTTPS', { signInIdleSeconds: 901 })).toHaveLength(0);
});

it('the summary names its port', () => {
  const line = (one: Template) => summarize({ Resources: one.toJSON()['Resources'] })[0];
  expect(line(both)).toBe('open ports     FTPS 21, 990, 50000-50015; SFTP 22; HTTPS 8443 from 203.0.113.0/24');
});

it('without it there is nothing of it', () => {
  const { Resources: resources, Outputs: told } = without.toJSON() as { Resources: Resources; Outputs: Resources };
  expect(JSON.stringify([resources, told])).not.toMatch(/"Https|-Https|HTTPS|"https\\*":|tokens-in-use/);
});
