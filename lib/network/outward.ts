/** Where the instances go beside AWS: endpoints of webhooks, and issuers of tokens. */
import { type IPeer, Peer } from 'aws-cdk-lib/aws-ec2';
import type { ServerConfig } from '../../server/config';

export interface Outward {
  readonly port: number;
  /** Networks in which they are; none means anywhere. */
  readonly cidrs: readonly string[];
}

/** HTTPS is open outwards in any case, for the APIs of AWS. */
const OPEN = 443;

/** Ports on which they are, where these are not open outwards in any case. */
export function outwardOf({ afterRelease, https }: Pick<ServerConfig, 'afterRelease' | 'https'>): Outward[] {
  const webhooks = afterRelease.webhooks.map(({ url, networks }) => ({ port: portOf(url), cidrs: networks }));
  const issuers = (https?.issuers ?? [])
    .flatMap(({ issuer, jwksUri }) => [issuer, ...(jwksUri === undefined ? [] : [jwksUri])])
    .map((url) => ({ port: portOf(url), cidrs: [] }));
  return [...webhooks, ...issuers].filter(({ port }) => port !== OPEN);
}

/** One address is a network of one. */
export function peerOf(network: string): IPeer {
  const whole = (bits: number) => (network.includes('/') ? network : `${network}/${bits}`);
  return network.includes(':') ? Peer.ipv6(whole(128)) : Peer.ipv4(whole(32));
}

/** That of an address which is not known before it is deployed is that of HTTPS. */
function portOf(url: string): number {
  const [, port] = /^https:\/\/[^/]*?:(\d+)(?:\/|$)/.exec(url) ?? [];
  return port === undefined ? OPEN : Number(port);
}
