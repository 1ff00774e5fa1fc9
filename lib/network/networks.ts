/** Networks of clients that are none: AWS CDK lets lengths and numbers through that EC2 refuses in the middle of a deployment, and names no setting. */
import { isIP } from 'node:net';
import { Token } from 'aws-cdk-lib';

/** Throws an Error that names the setting, the network, and what would be right. */
export function refuseWrongNetworks(key: string, cidrs: readonly string[]): void {
  if (!Array.isArray(cidrs)) throw new Error(`${key}: is no list; write ['203.0.113.0/24']`);
  const wrong = cidrs.find((cidr) => !Token.isUnresolved(cidr) && !isNetwork(cidr));
  if (wrong === undefined) return;
  const version = isIP(wrong);
  const right = version === 0 ? '203.0.113.0/24, and one address as 203.0.113.5/32' : `${wrong}/${version === 4 ? 32 : 128} where that one address is meant`;
  throw new Error(`${key}: "${wrong}" is no network; write it as ${right}`);
}

function isNetwork(cidr: string): boolean {
  const [address = '', length = '', ...more] = String(cidr).split('/');
  const version = isIP(address);
  return more.length === 0 && version !== 0 && /^\d{1,3}$/.test(length) && Number(length) <= (version === 4 ? 32 : 128);
}
