/** Which of several certificates OpenSSL will serve to a client: the rules of SSL_CTX_use_certificate with more than one kind of key. */
import type { ClientHello } from './client-hello';
import type { TlsPolicy, TlsVersion } from './policy';

export type KeyKind = 'ec' | 'rsa' | 'ed25519';

const TLS13 = 0x0304;

/** Code points of our TLS 1.2 suites (IANA). */
const suites12: Readonly<Record<string, number>> = {
  'ECDHE-ECDSA-AES256-GCM-SHA384': 0xc02c,
  'ECDHE-RSA-AES256-GCM-SHA384': 0xc030,
  'ECDHE-ECDSA-AES128-GCM-SHA256': 0xc02b,
  'ECDHE-RSA-AES128-GCM-SHA256': 0xc02f,
  'ECDHE-ECDSA-CHACHA20-POLY1305': 0xcca9,
  'ECDHE-RSA-CHACHA20-POLY1305': 0xcca8,
};

/** Code points of our signature algorithms (RFC 8446 section 4.2.3), and the kind of key that makes them. */
const signatures: Readonly<Record<string, readonly [code: number, kind: KeyKind]>> = {
  ecdsa_secp256r1_sha256: [0x0403, 'ec'],
  ecdsa_secp384r1_sha384: [0x0503, 'ec'],
  ed25519: [0x0807, 'ed25519'],
  rsa_pss_rsae_sha256: [0x0804, 'rsa'],
  rsa_pss_rsae_sha384: [0x0805, 'rsa'],
  rsa_pss_rsae_sha512: [0x0806, 'rsa'],
  rsa_pkcs1_sha256: [0x0401, 'rsa'],
  rsa_pkcs1_sha384: [0x0501, 'rsa'],
  rsa_pkcs1_sha512: [0x0601, 'rsa'],
};

/**
 * The kind that is chosen: under TLS 1.3 by the first signature algorithm of ours that the client takes, under TLS 1.2 by the
 * first cipher suite of ours. `kinds` are those there are; where nothing fits, the first.
 */
export function chosenKind(hello: ClientHello, maxVersion: TlsVersion, kinds: readonly KeyKind[], policy: TlsPolicy): KeyKind {
  const able = new Set(
    policy.signatures
      .map((name) => signatures[name])
      .filter((one) => one !== undefined && hello.signatureAlgorithms.includes(one[0]))
      .map((one) => one![1]),
  );
  if (maxVersion === 'TLSv1.3' && hello.versions.includes(TLS13)) return orderOf(policy).find((kind) => able.has(kind) && kinds.includes(kind)) ?? kinds[0]!;
  for (const suite of policy.ciphers) {
    const code = suites12[suite];
    if (code === undefined || !hello.cipherSuites.includes(code)) continue;
    const fitting: readonly KeyKind[] = suite.includes('ECDSA') ? ['ec', 'ed25519'] : ['rsa'];
    const kind = fitting.find((one) => able.has(one) && kinds.includes(one));
    if (kind) return kind;
  }
  return kinds[0]!;
}

function orderOf({ signatures: names }: TlsPolicy): readonly KeyKind[] {
  return [...new Set(names.map((name) => signatures[name]?.[1]).filter((kind) => kind !== undefined))];
}
