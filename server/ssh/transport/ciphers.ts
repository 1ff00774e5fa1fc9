/**
 * The ciphers of SSH, by node:crypto alone: one buffer a packet, keys parsed once, no native add-on. AES-GCM as RFC 5647 and OpenSSH's PROTOCOL have it,
 * AES-CTR (RFC 4344) with HMAC-SHA-2, encrypt-then-MAC as OpenSSH has it or encrypt-and-MAC (RFC 4253 section 6.4).
 */
import type { Cipher, Decipher, Inbound, Outbound } from 'ssh2/lib/protocol/crypto.js';
import { CtrCipher, GcmCipher } from './packet-cipher';
import { CtrDecipher, GcmDecipher } from './packet-decipher';

const isGcm = (name: string) => name.endsWith('-gcm');

export function createCipher({ outbound }: { readonly outbound: Outbound }): Cipher {
  return isGcm(outbound.cipherInfo.sslName) ? new GcmCipher(outbound) : new CtrCipher(outbound);
}

export function createDecipher({ inbound }: { readonly inbound: Inbound }): Decipher {
  return isGcm(inbound.decipherInfo.sslName) ? new GcmDecipher(inbound) : new CtrDecipher(inbound);
}
