/** FTPS, explicit and implicit, and its passive ports. */
import { parsePortRange } from '../../server/config';
import { DEFAULT_PASSIVE_PORTS } from '../network/default-passive-ports';
import type { FtpsServerSettings } from '../server-settings';
import { ClientCertificates } from './client-certificates';
import type { Opening, Protocol } from './protocol';

/** Ports of the control connection, and the range of the data connections. */
export function ftpsOpenings(controlPorts: readonly number[], passive: { readonly low: number; readonly high: number }): Opening[] {
  return [
    ...controlPorts.map((port) => ({ label: `FTPS control ${port}`, low: port, high: port, beginsSessions: true })),
    { label: `FTPS passive ${passive.low}-${passive.high}`, low: passive.low, high: passive.high, beginsSessions: false },
  ];
}

/** The listeners that settings stand for, each with its mode. */
export function ftpsListeners({ explicitPort = 21, implicitPort = 990 }: FtpsServerSettings): { mode: 'explicit' | 'implicit'; port: number }[] {
  const both = [
    { mode: 'explicit' as const, port: explicitPort },
    { mode: 'implicit' as const, port: implicitPort },
  ];
  return both.filter(({ port }) => port !== 0);
}

export const ftps: Protocol = {
  name: 'FTPS',
  id: 'Ftps',
  audited: 'ftps',
  handshakes: 'TLS',
  settings: (said, { clientTrust, advertisedAddress }) => {
    const clientCertificates = said.clientCertificates ?? (clientTrust ? ClientCertificates.OPTIONAL : ClientCertificates.OFF);
    return {
      listeners: ftpsListeners(said).map((listener) => ({
        ...listener,
        clientCertificates,
        advertisedAddress: said.advertisedAddress ?? advertisedAddress,
      })),
      passive: { ports: `${said.passivePorts ?? DEFAULT_PASSIVE_PORTS}` },
      firewall: { mode: said.justInTimeFirewall === false ? 'off' : 'nftables' },
    };
  },
  derived: [
    ['passive.ports', 'server.passivePorts'],
    ['firewall', 'server.justInTimeFirewall'],
  ],
  openings: ({ listeners, passive }) => {
    const range = parsePortRange(passive.ports);
    return 'low' in range
      ? ftpsOpenings(
          listeners.map(({ port }) => port),
          range,
        )
      : [];
  },
  outputs: ({ listeners, passive }) => [
    { id: 'ControlPorts', value: listeners.map(({ port }) => port).join(','), description: 'Explicit and implicit FTPS' },
    { id: 'PassivePorts', value: passive.ports, description: 'Passive range, for partners with outbound firewalls' },
  ],
  logsIn: true,
  // What is asked of FTPS alone was asked before there was another protocol, and stands among what is asked of all.
  failures: [],
  rows: [],
  queries: () => [],
};
