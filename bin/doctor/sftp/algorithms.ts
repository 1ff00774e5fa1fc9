/** What is thought of algorithms of SSH (RFC 9142, RFC 8758, NIST SP 800-131A, release notes of OpenSSH), and what a client of today agrees on. */
import type { Offer } from './offer';

export const STRICT = 'kex-strict-s-v00@openssh.com';

interface Judgement {
  readonly of: 'keyExchanges' | 'hostKeys' | 'ciphers' | 'macs' | 'compressions';
  readonly names: RegExp;
  readonly words: string;
  /** Setting of OpenSSH's sshd that takes it away. */
  readonly setting: string;
}

/** What nobody should be offered any more. */
export const outdated: readonly Judgement[] = [
  { of: 'keyExchanges', names: /-sha1(-.*)?$/, words: 'key exchanges with SHA-1', setting: 'KexAlgorithms' },
  { of: 'hostKeys', names: /^ssh-(rsa|dss)(-cert-v0[01]@openssh\.com)?$/, words: 'signatures of the host with SHA-1', setting: 'HostKeyAlgorithms' },
  { of: 'ciphers', names: /3des|^des/, words: 'ciphers of 3DES or DES', setting: 'Ciphers' },
  { of: 'ciphers', names: /^arcfour/, words: 'ciphers of RC4', setting: 'Ciphers' },
  { of: 'ciphers', names: /^(?!3des|des).*-cbc/, words: 'ciphers in CBC mode', setting: 'Ciphers' },
  { of: 'ciphers', names: /^none$/, words: 'connections without encryption', setting: 'Ciphers' },
  { of: 'macs', names: /md5|ripemd|sha1-96|^none$/, words: 'checks of integrity that are weak', setting: 'MACs' },
];

/** Not broken, but no longer what one chooses. */
export const weaker: readonly Judgement[] = [
  { of: 'macs', names: /^hmac-sha1(-etm@openssh\.com)?$/, words: 'HMAC with SHA-1', setting: 'MACs' },
  { of: 'macs', names: /^umac-64/, words: 'integrity by 64 bits', setting: 'MACs' },
  { of: 'compressions', names: /^zlib$/, words: 'compression before the login', setting: 'Compression' },
];

export const among = (offer: Offer, { of, names }: Judgement): string[] => offer[of].filter((name) => names.test(name));

/** ML-KEM, or NTRU Prime, together with X25519. */
export const isPostQuantum = (keyExchange: string) => /^(mlkem|sntrup)/.test(keyExchange);

/** What OpenSSH 10's client offers by default, in its order (ssh_config of OpenSSH 10.0); of host keys those that are no certificates. */
const openSsh10 = {
  keyExchanges: [
    'mlkem768x25519-sha256',
    'sntrup761x25519-sha512',
    'sntrup761x25519-sha512@openssh.com',
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    'diffie-hellman-group-exchange-sha256',
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group18-sha512',
    'diffie-hellman-group14-sha256',
  ],
  hostKeys: ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521', 'rsa-sha2-512', 'rsa-sha2-256'],
  ciphers: ['chacha20-poly1305@openssh.com', 'aes128-gcm@openssh.com', 'aes256-gcm@openssh.com', 'aes128-ctr', 'aes192-ctr', 'aes256-ctr'],
  macs: [
    'umac-64-etm@openssh.com',
    'umac-128-etm@openssh.com',
    'hmac-sha2-256-etm@openssh.com',
    'hmac-sha2-512-etm@openssh.com',
    'hmac-sha1-etm@openssh.com',
    'umac-64@openssh.com',
    'umac-128@openssh.com',
    'hmac-sha2-256',
    'hmac-sha2-512',
    'hmac-sha1',
  ],
} as const;

export interface Agreement {
  readonly keyExchange?: string;
  readonly hostKey?: string;
  readonly cipher?: string;
  /** Absent where the cipher proves integrity itself. */
  readonly mac?: string;
}

/** The first of the client's list that the server has as well (RFC 4253 section 7.1). */
export function agreedWithOpenSsh10(offer: Offer): Agreement {
  const first = (of: keyof typeof openSsh10) => openSsh10[of].find((name) => offer[of].includes(name));
  const cipher = first('ciphers');
  const isWhole = cipher !== undefined && /gcm|poly1305/.test(cipher);
  return { keyExchange: first('keyExchanges'), hostKey: first('hostKeys'), cipher, ...(isWhole ? {} : { mac: first('macs') }) };
}

/** Ways of encryption in which Terrapin (CVE-2023-48795) takes packets away unseen, without strict key exchange. */
export function openToTerrapin({ ciphers, macs }: Offer): boolean {
  return (
    ciphers.some((name) => name.startsWith('chacha20-poly1305')) ||
    (ciphers.some((name) => name.endsWith('-cbc')) && macs.some((name) => name.includes('-etm@')))
  );
}
