/** One network that was written in two ways. */
import { rangeOf } from './ranges';

/**
 * Throws an Error that names both. EC2 takes the bits behind the length of a network for none, and of two rules that are the same then it refuses the second
 * (EC2 API reference, "IpRange" and "Ipv6Range"), when the deployment is half done. What is written twice alike, AWS CDK leaves out.
 */
export function refuseOneNetworkTwice(clientCidrs: readonly string[]): void {
  const seen = new Map<string, string>();
  for (const cidr of clientCidrs)
    for (const { low, high } of rangeOf(cidr, cidr.includes(':') ? 128 : 32)) {
      const network = `${cidr.includes(':')} ${low} ${high}`;
      const before = seen.get(network);
      if (before !== undefined && before !== cidr) {
        const alone = `${cidr.split('/')[0]}/${cidr.includes(':') ? 128 : 32}`;
        throw new Error(
          `clientCidrs: ${before} and ${cidr} are one network, which a security group takes once; leave one of them out, or write ${alone} where that one address is meant`,
        );
      }
      seen.set(network, cidr);
    }
}
