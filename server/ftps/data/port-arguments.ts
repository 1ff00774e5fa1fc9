/** The addresses and ports that FTP commands and replies carry: PORT, EPRT, PASV, EPSV (RFC 959, RFC 2428). */
import { isIP, SocketAddress } from 'node:net';
import { plainAddress } from '../../config';

export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** `h1,h2,h3,h4,p1,p2` of PORT. Undefined where it is not that. */
export function parsePort(argument: string): Endpoint | undefined {
  if (!/^\d{1,3}(,\d{1,3}){5}$/.test(argument)) return undefined;
  const [a, b, c, d, high, low] = argument.split(',').map(Number) as [number, number, number, number, number, number];
  if ([a, b, c, d, high, low].some((byte) => byte > 255)) return undefined;
  return { address: `${a}.${b}.${c}.${d}`, port: high * 256 + low };
}

/** `|1|192.0.2.1|6446|` or `|2|2001:db8::1|6446|` of EPRT. `unsupported` where the network protocol is neither. */
export function parseEprt(argument: string): Endpoint | 'unsupported' | undefined {
  const delimiter = argument[0];
  if (delimiter === undefined || !/[\x21-\x7e]/.test(delimiter)) return undefined;
  const [before, protocol, address, portText, after, ...rest] = argument.split(delimiter);
  if (before !== '' || after !== '' || rest.length > 0 || protocol === undefined || address === undefined || portText === undefined) return undefined;
  if (!/^\d{1,5}$/.test(portText) || Number(portText) > 65_535) return undefined;
  if (protocol !== '1' && protocol !== '2') return /^\d+$/.test(protocol) ? 'unsupported' : undefined;
  return isIP(address) === (protocol === '1' ? 4 : 6) ? { address, port: Number(portText) } : undefined;
}

/** The text of a 227 reply, in the one form that every client parses. */
export function pasvText(address: string, port: number): string {
  return `Entering Passive Mode (${address.replaceAll('.', ',')},${port >> 8},${port & 255}).`;
}

/** The text of a 229 reply. */
export function epsvText(port: number): string {
  return `Entering Extended Passive Mode (|||${port}|)`;
}

/** Whether two texts name one address: IPv6 can be written in many ways, and its zone means something on one machine only. */
export function sameAddress(one: string, other: string): boolean {
  return canonical(one) === canonical(other);
}

function canonical(text: string): string {
  const address = text.replace(/%.*$/, '');
  const version = isIP(address);
  return version === 0 ? text : plainAddress(new SocketAddress({ address, family: version === 6 ? 'ipv6' : 'ipv4' }).address);
}
