/** What the server negotiates, as code: TLS 1.2 and 1.3, ECDHE, AEAD, AES-256-GCM first, SHA-256 or stronger. */
import { constants } from 'node:crypto';
import type { SecureContextOptions } from 'node:tls';

export type TlsVersion = 'TLSv1.2' | 'TLSv1.3';

export interface TlsPolicy {
  readonly minVersion: TlsVersion;
  /** OpenSSL names, in the order of preference; the order of the server wins. */
  readonly ciphers: readonly string[];
  readonly groups: readonly string[];
  /** Signature algorithms by their TLS names (RFC 8446 section 4.2.3). */
  readonly signatures: readonly string[];
}

const modern: TlsPolicy = {
  minVersion: 'TLSv1.2',
  ciphers: [
    'TLS_AES_256_GCM_SHA384',
    'TLS_AES_128_GCM_SHA256',
    'TLS_CHACHA20_POLY1305_SHA256',
    'ECDHE-ECDSA-AES256-GCM-SHA384',
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'ECDHE-RSA-AES128-GCM-SHA256',
    'ECDHE-ECDSA-CHACHA20-POLY1305',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ],
  groups: ['X25519', 'P-256', 'P-384'],
  signatures: [
    'ecdsa_secp256r1_sha256',
    'ecdsa_secp384r1_sha384',
    'ed25519',
    'rsa_pss_rsae_sha256',
    'rsa_pss_rsae_sha384',
    'rsa_pss_rsae_sha512',
    'rsa_pkcs1_sha256',
    'rsa_pkcs1_sha384',
    'rsa_pkcs1_sha512',
  ],
};

/** Within FIPS 140-3: no ChaCha20, and no X25519, which a validated provider may still negotiate unless it is left out here. */
const fips: TlsPolicy = {
  ...modern,
  ciphers: modern.ciphers.filter((name) => !name.includes('CHACHA20')),
  groups: ['P-256', 'P-384'],
  signatures: modern.signatures.filter((name) => name !== 'ed25519'),
};

export const tlsPolicies = { modern, fips } as const;

/** Every context carries the same id, so that a session begun under a replaced certificate can still be resumed. */
const SESSION_ID_CONTEXT = 'cdk-ftps';

/**
 * The options of a server context that follow from the policy. Tickets are off: sessions are kept by the server, because a
 * session that the server can look up is what ties a data connection to its control connection (see tls/sessions.ts).
 */
export function contextOptions(policy: TlsPolicy, maxVersion: TlsVersion): SecureContextOptions {
  return {
    minVersion: policy.minVersion,
    maxVersion,
    ciphers: policy.ciphers.join(':'),
    ecdhCurve: policy.groups.join(':'),
    sigalgs: policy.signatures.join(':'),
    honorCipherOrder: true,
    sessionIdContext: SESSION_ID_CONTEXT,
    sessionTimeout: 86_400,
    secureOptions: constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_COMPRESSION | constants.SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_RENEGOTIATION,
  };
}

/** OpenSSL's SSL_OP_NO_RENEGOTIATION (SSL_OP_BIT(30)); Node does not name it. */
const SSL_OP_NO_RENEGOTIATION = 0x4000_0000;
