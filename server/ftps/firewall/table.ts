/**
 * The nftables table of the passive ports, as text for `nft`. It keeps no state of connections: a packet with ACK or RST
 * belongs to a connection that was let in, or is answered with RST by the kernel, from an open and a closed port alike.
 * Everything else, SYN above all, needs an element {client address, port} whose time is not over.
 */
import { isIPv6 } from 'node:net';
import type { Opening } from './words';

export const TABLE = 'inet ftps';
/** The most elements of a set; an element takes a few hundred bytes of the kernel's memory. */
export const MOST_ADMITTED = 65_536;

/** Makes the table anew in one transaction: whatever was there is replaced, and at no moment is a port open that should be closed. */
export function createTable(low: number, high: number): string {
  return [
    removeTable(),
    `add table ${TABLE}`,
    `add set ${TABLE} admitted4 { type ipv4_addr . inet_service; flags timeout; size ${MOST_ADMITTED}; }`,
    `add set ${TABLE} admitted6 { type ipv6_addr . inet_service; flags timeout; size ${MOST_ADMITTED}; }`,
    `add chain ${TABLE} passive`,
    `add rule ${TABLE} passive ip saddr . tcp dport @admitted4 accept`,
    `add rule ${TABLE} passive ip6 saddr . tcp dport @admitted6 accept`,
    `add rule ${TABLE} passive counter drop`,
    `add chain ${TABLE} input { type filter hook input priority 0; policy accept; }`,
    `add rule ${TABLE} input tcp dport ${low}-${high} tcp flags & (ack | rst) == 0x0 jump passive`,
  ].join('; ');
}

/** Takes the table away, also where there is none. */
export function removeTable(): string {
  return `add table ${TABLE}; delete table ${TABLE}`;
}

/** Also begins the time of an element anew that is there already. */
export function admitElement(opening: Opening, seconds: number): string {
  const { set, element } = elementOf(opening);
  return `${withdrawElement(opening)}; add element ${TABLE} ${set} { ${element} timeout ${seconds}s }`;
}

/** Also where the element's time has just run out. */
export function withdrawElement(opening: Opening): string {
  const { set, element } = elementOf(opening);
  return `add element ${TABLE} ${set} { ${element} }; delete element ${TABLE} ${set} { ${element} }`;
}

/** Fails where the table is not there. */
export function checkTable(): string {
  return `list chain ${TABLE} passive`;
}

function elementOf({ address, port }: Opening): { set: string; element: string } {
  return { set: isIPv6(address) ? 'admitted6' : 'admitted4', element: `${address} . ${port}` };
}
