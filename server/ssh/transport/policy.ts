/** What the server negotiates over SSH, as code: strict key exchange, AEAD or encrypt-then-MAC first, SHA-256 or stronger; no CBC, no SHA-1, no compression. */

export interface SshPolicy {
  /** Key exchanges by their IANA names, in the order that is offered; the client's order decides (RFC 4253 section 7.1). */
  readonly keyExchanges: readonly string[];
  /** Signature algorithms of host keys. */
  readonly hostKeys: readonly string[];
  readonly ciphers: readonly string[];
  readonly macs: readonly string[];
  /** Signature algorithms that a user's key may log in with (RFC 8308 section 3.1). */
  readonly userKeys: readonly string[];
}

/** Post-quantum, hybrid with X25519 (draft-ietf-sshm-mlkem-hybrid-kex). There where Node.js has ML-KEM: 24.7 and later. */
export const ML_KEM = 'mlkem768x25519-sha256';

/**
 * ChaCha20-Poly1305 is left out: Node.js has no Poly1305 by itself, so that it would run in WebAssembly at half the speed; it is also what Terrapin
 * (CVE-2023-48795) was about. Every client that has it has AES as well.
 */
const modern: SshPolicy = {
  keyExchanges: [
    ML_KEM,
    'curve25519-sha256',
    'curve25519-sha256@libssh.org',
    'ecdh-sha2-nistp256',
    'ecdh-sha2-nistp384',
    'ecdh-sha2-nistp521',
    // Not group 18: it costs four times as much, whoever asks for it, and who has it has this one as well.
    'diffie-hellman-group16-sha512',
    'diffie-hellman-group14-sha256',
  ],
  hostKeys: ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521', 'rsa-sha2-512', 'rsa-sha2-256'],
  ciphers: ['aes256-gcm@openssh.com', 'aes128-gcm@openssh.com', 'aes256-ctr', 'aes192-ctr', 'aes128-ctr'],
  macs: ['hmac-sha2-256-etm@openssh.com', 'hmac-sha2-512-etm@openssh.com', 'hmac-sha2-256', 'hmac-sha2-512'],
  userKeys: ['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521', 'rsa-sha2-512', 'rsa-sha2-256'],
};

/** Within FIPS 140-3 as OpenSSL's provider has it: nothing on Curve25519, neither for keys nor for signatures. */
const fips: SshPolicy = {
  ...modern,
  keyExchanges: modern.keyExchanges.filter((name) => name !== ML_KEM && !name.startsWith('curve25519')),
  hostKeys: modern.hostKeys.filter((name) => name !== 'ssh-ed25519'),
  userKeys: modern.userKeys.filter((name) => name !== 'ssh-ed25519'),
};

export const sshPolicies = { modern, fips } as const;
