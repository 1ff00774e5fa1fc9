/** Settings of the server that have no prop reach its file, and none that follows from a construct can be said twice. */
import { Duration } from 'aws-cdk-lib';
import type { Template } from 'aws-cdk-lib/assertions';
import { FtpsLoadBalancer, FtpsService, PassivePorts, type ServerOverrides, ServiceNetwork } from '../../lib';
import { type Resources, serviceTemplate, shippedSettings, testStack } from './support';

const overrides = {
  active: { enabled: true, sourcePorts: '20-20' },
  limits: { bandwidth: { uploadBytesPerSecond: 50_000_000 }, lockout: { failuresPerAccount: 5 }, stallSeconds: 120 },
  passwords: { rememberSeconds: 0 },
  listeners: [{ mode: 'implicit', maxTlsVersion: 'TLSv1.2', deny: ['203.0.113.66/32'] }],
} satisfies ServerOverrides;
const template = serviceTemplate({ server: { passivePorts: PassivePorts.AWS_TRANSFER_FAMILY, idleTimeout: Duration.minutes(5), overrides } });

it('reach the settings file, over what the constructs wrote and under the schema', () => {
  expect(shippedSettings(template)).toMatchObject({
    active: { enabled: true, sourcePorts: '20-20' },
    passive: { ports: '8192-8200' },
    limits: {
      bandwidth: { uploadBytesPerSecond: 50_000_000 },
      lockout: { failuresPerAccount: 5, failuresPerAddress: 20, table: expect.stringContaining('Lockouts') },
      idleSeconds: 300,
      stallSeconds: 120,
    },
    passwords: { rememberSeconds: 0 },
    listeners: [
      { mode: 'explicit', port: 21, maxTlsVersion: 'TLSv1.3' },
      { mode: 'implicit', port: 990, maxTlsVersion: 'TLSv1.2', deny: ['203.0.113.66/32'] },
    ],
  });
});

it('active mode opens the way out to the clients, and without it there is none', () => {
  const egress = (of: Template) =>
    Object.values(of.findResources('AWS::EC2::SecurityGroup') as Resources)
      .flatMap(({ Properties }) => (Properties.SecurityGroupEgress ?? []) as Resources[])
      .filter(({ FromPort }) => FromPort === 1_024)
      .map(({ CidrIp, ToPort }) => `${CidrIp} ${ToPort}`);
  expect(egress(template)).toEqual(['203.0.113.0/24 65535']);
  expect(egress(serviceTemplate())).toEqual([]);
});

it.each<[unknown, RegExp]>([
  [{ passive: { ports: '60000-60010' } }, /overrides\.passive\.ports: follows from server\.passivePorts; say it there/],
  [{ listeners: [{ mode: 'explicit', port: 2121 }] }, /overrides\.listeners\[0\]\.port: follows from server\.explicitPort/],
  [{ listeners: [{ mode: 'plain' }] }, / {2}server\.overrides\.listeners\[0\]\.mode: "plain" is not served; there is explicit and implicit/],
  [{ tls: { certificates: [] } }, /overrides\.tls\.certificates: follows from certificate and additionalCertificates/],
  [{ storage: { kind: 'local', root: '/mnt' } }, /overrides\.storage\.kind: follows from storage[\s\S]*overrides\.storage\.root: follows from storage/],
  [{ identity: [] }, / {2}server\.overrides\.identity: follows from accounts/],
  [{ limits: { lockout: { table: 'mine' } } }, /overrides\.limits\.lockout\.table: follows from sharedLockouts/],
  [{ admin: { port: 8080 } }, /overrides\.admin\.port: follows from the check/],
  [{ sftp: { port: 22 } }, /overrides\.sftp\.port: is for SFTP, which is off; server\.sftp opens its port/],
  [{ https: { port: 443 } }, /overrides\.https\.port: is for HTTPS, which is off; server\.https opens its port/],
  [{ limits: { idleSeconds: 60 } }, /overrides\.limits\.idleSeconds: is said by server\.idleTimeout as well/],
  [{ limits: { bandwith: {} } }, / {2}server\.overrides\.limits\.bandwith: is not a setting/],
  [true, /overrides: true is no block; write \{ limits: /],
  [[], /overrides: \[\] is no block/],
  [{ limits: true }, /overrides\.limits: stands for a block; write \{ … \} with single settings of it/],
  [{ listeners: [{ mode: 'implicit', maxTlsVersion: 'TLSv1' }] }, / {2}server\.overrides\.listeners\[0\]\.maxTlsVersion: "TLSv1" is not a choice/],
  [{ passwords: true }, / {2}server\.overrides\.passwords: true: expected a block/],
  [{ listeners: [true] }, /overrides\.listeners\[0\]: true is no block/],
  [{ limits: { stallSeconds: 'long' } }, / {2}server\.overrides\.limits\.stallSeconds: "long"/],
])('%j is refused', (wrong, message) => {
  expect(() => serviceTemplate({ server: { idleTimeout: Duration.minutes(5), overrides: wrong as never } })).toThrow(message);
});

it('active mode is refused behind a load balancer, whose addresses it would not come from', () => {
  const { stack, hostedZone } = testStack();
  const { vpc } = new ServiceNetwork(stack, 'Network');
  const endpoint = new FtpsLoadBalancer(stack, 'Balancer', { vpc, slots: 3 });
  const server = { overrides: { active: { enabled: true } } };
  expect(() => new FtpsService(stack, 'Ftps', { domainName: 'ftps.example.com', hostedZone, clientCidrs: ['203.0.113.0/24'], vpc, endpoint, server })).toThrow(
    /active\.enabled: connections to clients would come from the instances/,
  );
});
