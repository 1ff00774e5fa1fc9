import { PassivePorts } from '../../../lib';

it('a passive range says where it begins and ends, how many ports it has, and itself as people write it', () => {
  const { low, high, count } = PassivePorts.of(50_000, 50_015);
  expect({ low, high, count, text: `${PassivePorts.DEFAULT}` }).toEqual({ low: 50_000, high: 50_015, count: 16, text: '50000-50015' });
  expect(`${PassivePorts.AWS_TRANSFER_FAMILY}`).toBe('8192-8200');
});

it.each([
  [() => PassivePorts.of(50_015, 50_000), /passivePorts: "50015-50000" ends before it starts/],
  [() => PassivePorts.of(60_000, 70_000), /passivePorts: "60000-70000" leaves the ports 1 to 65535/],
  [() => PassivePorts.parse('any:16'), /passivePorts: "any:16" opens ports that no security group can name/],
  [() => PassivePorts.parse('50000'), /passivePorts: "50000" is not a port range/],
])('a range that is none is refused, %#', (make, message) => expect(make).toThrow(message));
