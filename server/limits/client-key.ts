/** What counts as one client for limits and lock-outs. */
import { isIPv6 } from 'node:net';

/**
 * An IPv4 address, or the /64 network of an IPv6 address: that is what one customer is given (RFC 6177 section 2), who could
 * otherwise come from a new address each time.
 */
export function clientKey(address: string): string {
  const [plain = ''] = address.split('%', 1);
  // Asked for nearly every event; most addresses have no colon.
  if (!plain.includes(':') || !isIPv6(plain)) return plain;
  const [head = '', tail] = plain.split('::', 2);
  const groups = head.split(':').filter(Boolean);
  const missing = tail === undefined ? 0 : 8 - groups.length - tail.split(':').filter(Boolean).length;
  const all = [...groups, ...Array<string>(Math.max(0, missing)).fill('0'), ...(tail ?? '').split(':').filter(Boolean)];
  return `${all
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
