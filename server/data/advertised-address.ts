/** Which address the server tells a client to connect to: the outer one behind NAT, the inner one inside a VPN. */
import { lookup } from 'node:dns/promises';
import { isIPv4 } from 'node:net';
import { type ListenerConfig, Networks, plainAddress } from '../config';
import { publicIpv4 } from './instance-metadata';

const CACHE_MS = 60_000;

export class AdvertisedAddress {
  private readonly exceptions: { readonly networks: Networks; readonly address: string }[];
  private readonly cache = new Map<string, { readonly address: string; readonly until: number }>();

  constructor(private readonly listener: Pick<ListenerConfig, 'advertisedAddress' | 'advertisedAddressFor'>) {
    this.exceptions = listener.advertisedAddressFor.map(({ network, address }) => ({ networks: new Networks([network]), address }));
  }

  /** The IPv4 address for a PASV reply, or undefined where there is none (a client that came over IPv6, a name that does not resolve). */
  async for(client: string, local: string): Promise<string | undefined> {
    const configured = this.exceptions.find(({ networks }) => networks.contains(client))?.address ?? this.listener.advertisedAddress;
    if (configured === 'local') {
      const address = plainAddress(local);
      return isIPv4(address) ? address : undefined;
    }
    return isIPv4(configured) ? configured : this.resolve(configured);
  }

  /** A name, or the instance's own public address, asked at most once a minute; the last answer outlives a failing question. */
  private async resolve(name: string): Promise<string | undefined> {
    const known = this.cache.get(name);
    if (known && known.until > Date.now()) return known.address;
    try {
      const address = name === 'auto' ? await publicIpv4() : (await lookup(name, { family: 4 })).address;
      this.cache.set(name, { address, until: Date.now() + CACHE_MS });
      return address;
    } catch {
      return known?.address;
    }
  }
}
