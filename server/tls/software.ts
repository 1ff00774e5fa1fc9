/** Which TLS software a client runs, as far as its ClientHello shows. */
import type { ClientHello } from './client-hello';

/** Values that are there to be ignored and change from one hello to the next (RFC 8701). */
const isGrease = (value: number) => (value & 0x0f0f) === 0x0a0a;

/** The same for every connection of one program; no proof of anything, since whoever runs the same program says the same. */
export function softwareOf({ cipherSuites, versions, groups, signatureAlgorithms }: ClientHello): string {
  return [cipherSuites, versions, groups, signatureAlgorithms].map((values) => values.filter((value) => !isGrease(value)).join()).join(';');
}
