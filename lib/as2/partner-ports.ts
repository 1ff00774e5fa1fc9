/** Where instances go for AS2: the ports of partners' addresses. */
import type { ServerConfig } from '../../server/config';

/** Ports beside 443, which is open in any case, in their order. */
export function partnerPorts({ as2 }: Pick<ServerConfig, 'as2'>): number[] {
  const addresses = (as2?.partners ?? []).flatMap(({ url, receiptHosts, allowPlainHttp }) => [
    ...(url === undefined ? [] : [url]),
    ...receiptHosts.flatMap((host) => [`https://${host}`, ...(allowPlainHttp && !host.includes(':') ? [`http://${host}`] : [])]),
  ]);
  const ports = addresses.map((address) => new URL(address)).map(({ port, protocol }) => (port === '' ? (protocol === 'http:' ? 80 : 443) : Number(port)));
  return [...new Set(ports)].filter((port) => port !== 443).sort((one, other) => one - other);
}
