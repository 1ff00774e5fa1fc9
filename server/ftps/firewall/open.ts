/** The firewall that the configuration names. */
import type { Audit } from '../../audit/event';
import type { ServerConfig } from '../../config';
import type { Firewall } from './firewall';
import { RemoteFirewall } from './remote-firewall';

/** No firewall: passive ports are open to everyone that the security group lets in, and strangers are dropped after they connect. */
const off: Firewall = {
  state: 'off',
  admit: async () => {},
  withdraw: () => {},
  close: async () => {},
};

/** The firewall that the configuration names. Where its process is out of reach the server runs all the same, and lets nobody through. */
export async function openFirewall({ mode, socket }: ServerConfig['firewall'], audit: Audit): Promise<Firewall> {
  if (mode === 'nftables') return RemoteFirewall.open(socket, audit);
  audit.record({ kind: 'health', part: 'firewall', state: 'off' });
  return off;
}
