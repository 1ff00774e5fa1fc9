import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { PassivePorts } from '../../../lib/network/passive-ports';
import { FtpsSecurityGroup } from '../../../lib/network/security-group';

describe('the security group on its own', () => {
  const stack = new Stack(new App());
  const vpc = new Vpc(stack, 'Vpc', { maxAzs: 1, natGateways: 0 });
  let doors = 0;
  const door = (clientCidrs: string[], more: object = {}) =>
    new FtpsSecurityGroup(stack, `Door${++doors}`, { vpc, controlPorts: [21], passivePorts: PassivePorts.DEFAULT, clientCidrs, ...more });

  it.each([
    [['0.0.0.0/0'], '0.0.0.0/0 is the whole internet'],
    [['::/0'], '::/0 is the whole internet'],
    [['2000::/3'], '2000::/3 is the whole internet'],
    [['203.0.113.0/24', '1.2.3.4/0'], '1.2.3.4/0 is the whole internet'],
    [['0.0.0.0/1', '128.0.0.0/1'], '0.0.0.0/1, 128.0.0.0/1 together make half of the whole internet or more'],
    [['0.0.0.0/2', '64.0.0.0/2', '128.0.0.0/2', '192.0.0.0/3'], 'allowPublicAccess: true'],
    [['2000::/4', '3000:0:0:0:0:0:0:0/4'], 'allowPublicAccess: true'],
  ])('refuses %j', (cidrs, words) => {
    expect(() => door(cidrs)).toThrow(words);
    expect(() => door(cidrs, { allowPublicAccess: true })).not.toThrow();
  });

  it.each([
    [['203.0.113.0/24', '203.0.113.77/24'], /203\.0\.113\.0\/24 and 203\.0\.113\.77\/24 are one network.* or write 203\.0\.113\.77\/32/],
    [['2001:db8::/32', '2001:DB8:0::1/32'], /2001:db8::\/32 and 2001:DB8:0::1\/32 are one network.* or write 2001:DB8:0::1\/128/],
  ])('refuses %j, of which EC2 would refuse the second in the middle of a deployment', (cidrs, words) => {
    expect(() => door(cidrs)).toThrow(words);
  });

  it('takes the networks of partners, large ones too, and does not count one of them twice', () => {
    expect(() => door(['10.0.0.0/8', '203.0.113.0/24', '2001:db8::/32', '64.0.0.0/2', '64.0.0.0/2', '64.0.0.0/3'])).not.toThrow();
    Template.fromStack(stack);
  });
});
