/** What AWS would refuse in the middle of a deployment is refused at synthesis. */
import { Duration } from 'aws-cdk-lib';
import { DirectoryAccounts } from '../../lib';
import { inboundRules, type Resources, serviceTemplate, testStack } from './support';

const networks = (count: number) => Array.from({ length: count }, (_, index) => `10.${index}.0.0/16`);

describe('rules of a security group', () => {
  it('are sixty at most: twenty networks with both modes and the passive range', () => {
    expect(inboundRules(serviceTemplate({ clientCidrs: networks(20) })).filter((rule) => rule.includes('10.'))).toHaveLength(60);
    expect(() => serviceTemplate({ clientCidrs: networks(21) })).toThrow(
      /clientCidrs: 21 IPv4 networks, each with 3 openings, are 63 rules; a security group has 60\. .* at most 20 in all/,
    );
  });

  it('are counted for IPv4 and IPv6 by themselves, and may be more where the quota was raised', () => {
    const six = networks(20).map((_, index) => `2001:db8:${index}::/48`);
    expect(() => serviceTemplate({ clientCidrs: [...networks(20), ...six] })).not.toThrow();
    expect(() => serviceTemplate({ clientCidrs: networks(40), securityGroupRules: 200 })).not.toThrow();
  });
});

it('user data that no instance takes stop synthesis', () => {
  const { stack } = testStack();
  const accounts = new DirectoryAccounts(stack, 'Directory', {
    servers: ['ldaps://directory.example.com'],
    serverCidrs: ['10.0.0.0/24'],
    bindName: 'uid={user},dc=example,dc=com',
    userBase: 'dc=example,dc=com',
    rules: Array.from({ length: 200 }, (_, index) => ({ group: `cn=partners-${index},ou=groups,dc=example,dc=com`, home: `/partners/${index}/{user}` })),
  });
  expect(() => serviceTemplate({ accounts })).toThrow(/server: the settings make \d+ bytes of user data, and an instance takes 16384/);
});

it('a drain that outlasts the hooks of Auto Scaling, of two hours at most, stops synthesis', () => {
  expect(() => serviceTemplate({ server: { drainTimeout: Duration.hours(2) } })).toThrow(
    /drainTimeout: 7200 seconds are longer than Auto Scaling waits for an instance; at most 6600/,
  );
  const [group] = Object.values(
    serviceTemplate({ server: { drainTimeout: Duration.minutes(110) } }).findResources('AWS::AutoScaling::AutoScalingGroup') as Resources,
  );
  for (const { HeartbeatTimeout } of group.Properties.LifecycleHookSpecificationList) expect(HeartbeatTimeout).toBeLessThanOrEqual(7_200);
});
