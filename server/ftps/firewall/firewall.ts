/** What the data path asks of the kernel's firewall: let this client reach this port, for a while. */
import type { Audit } from '../../audit/event';
import type { ServerConfig } from '../../config';
import { RemoteFirewall } from './remote-firewall';

export interface Firewall {
  /** `off`, `up`, or `down: ` and why, for the administrator. */
  readonly state: string;
  /** Fulfilled when the client can get through. Admitting again begins the time anew. Throws where the firewall can't be opened. */
  admit(address: string, port: number, seconds: number): Promise<void>;
  /** Closes it again; what fails here is over when the time is. */
  withdraw(address: string, port: number): void;
  close(): Promise<void>;
}

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
