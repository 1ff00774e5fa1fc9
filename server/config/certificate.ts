/** Whether a certificate can be served: the same check for the Lambda that rotates it and for the server that loads it. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';

/** PEM texts. `chain` is what follows the certificate, up to but without the root. */
export interface CertificateMaterial {
  readonly certificate: string;
  readonly chain: string;
  readonly privateKey: string;
}

export interface CertificateExpectation {
  /** Host names that clients connect to; each must be covered. Empty checks none. */
  readonly names?: readonly string[];
  /** Days the certificate must still last. Default 0. */
  readonly minDaysLeft?: number;
  /** Whether the chain must reach a root; false where clients were given the authority itself. Default true. */
  readonly completeChain?: boolean;
  readonly now?: Date;
}

const DAY_MS = 86_400_000;
/** RSA keys shorter than this are refused by clients and by FIPS 186-5. Bits. */
const SHORTEST_RSA = 2_048;
const pemBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Everything that speaks against serving this certificate; empty where nothing does. Never quotes the key. */
export function certificateProblems(
  material: CertificateMaterial,
  { names = [], minDaysLeft = 0, completeChain = true, now = new Date() }: CertificateExpectation = {},
): string[] {
  let leaf: X509Certificate;
  let chain: X509Certificate[];
  try {
    leaf = new X509Certificate(material.certificate);
    chain = certificatesIn(material.chain);
  } catch {
    return ['the certificate or its chain is no PEM certificate'];
  }
  const problems: string[] = [];
  const key = readKey(material.privateKey);
  if (!key) problems.push('the private key is no PEM key');
  else if (!leaf.checkPrivateKey(key)) problems.push('the private key belongs to another certificate');
  problems.push(...strengthProblems(leaf, 'the certificate'));
  if (leaf.ca)
    problems.push(
      'the certificate is that of an authority (CA:TRUE), not of a server; `openssl req -x509` makes one of a server with -addext basicConstraints=critical,CA:FALSE',
    );
  if (leaf.keyUsage && !leaf.keyUsage.includes(SERVER_AUTHENTICATION)) problems.push('the certificate is not meant for servers (extended key usage)');
  if (Date.parse(leaf.validFrom) > now.getTime()) problems.push(`the certificate is not valid before ${leaf.validFrom}`);
  const daysLeft = daysLeftOf(leaf, now);
  if (daysLeft <= 0) problems.push(`the certificate expired on ${leaf.validTo}`);
  else if (daysLeft < minDaysLeft) problems.push(`the certificate lasts ${Math.floor(daysLeft)} more days, fewer than ${minDaysLeft}`);
  for (const name of names) if (!leaf.checkHost(name)) problems.push(`the certificate does not cover ${name}`);
  problems.push(...chainProblems(leaf, chain, completeChain, now));
  return problems;
}

/** Days until the certificate ends, with their fraction. */
export function daysLeftOf(certificate: X509Certificate, now = new Date()): number {
  return (Date.parse(certificate.validTo) - now.getTime()) / DAY_MS;
}

/** The certificates of a PEM text, in order. */
export function certificatesIn(pem: string): X509Certificate[] {
  return (pem.match(pemBlock) ?? []).map((block) => new X509Certificate(block));
}

function chainProblems(leaf: X509Certificate, chain: readonly X509Certificate[], complete: boolean, now: Date): string[] {
  const selfSigned = leaf.issuer === leaf.subject;
  if (chain.length === 0) return selfSigned || !complete ? [] : ['the chain is missing: clients could not reach a root from the certificate alone'];
  const problems: string[] = [];
  let below = leaf;
  chain.forEach((certificate, index) => {
    const which = `certificate ${index + 1} of the chain`;
    if (!below.checkIssued(certificate) || !below.verify(certificate.publicKey)) problems.push(`${which} did not issue the one before it`);
    if (Date.parse(certificate.validTo) <= now.getTime()) problems.push(`${which} expired on ${certificate.validTo}`);
    if (!isRoot(certificate)) problems.push(...strengthProblems(certificate, which)); // a root is trusted by itself, not by its signature
    below = certificate;
  });
  if (complete && !chain.some(reachesRoot)) problems.push(`the chain ends at ${oneLine(below.subject)}, short of a root: certificates are missing after it`);
  return problems;
}

/** Keys and signatures that FIPS 186-5 and today's clients take: RSA from 2048 bits, the NIST curves, Ed25519; SHA-256 or stronger. */
function strengthProblems({ publicKey, raw }: X509Certificate, which: string): string[] {
  const { asymmetricKeyType, asymmetricKeyDetails } = publicKey;
  const problems: string[] = [];
  if (asymmetricKeyType === 'rsa') {
    if ((asymmetricKeyDetails?.modulusLength ?? 0) < SHORTEST_RSA) problems.push(`the RSA key of ${which} has fewer than ${SHORTEST_RSA} bits`);
  } else if (asymmetricKeyType === 'ec') {
    const curve = asymmetricKeyDetails?.namedCurve ?? 'unknown';
    if (!strongCurves.has(curve)) problems.push(`the key of ${which} is on the curve ${curve}; P-256, P-384 or P-521 is needed`);
  } else if (asymmetricKeyType !== 'ed25519') problems.push(`the key of ${which} is of the kind ${asymmetricKeyType}; RSA, ECDSA or Ed25519 is needed`);
  const weak = weakSignatures[signatureAlgorithmOf(raw)];
  if (weak) problems.push(`${which} is signed with ${weak}; SHA-256 or stronger is needed`);
  return problems;
}

/** DER of the signature's algorithm in hexadecimal: what follows tbsCertificate (RFC 5280 section 4.1). Node names it only from 24 on. */
function signatureAlgorithmOf(raw: Buffer): string {
  const outer = content(raw, 0);
  const algorithm = content(raw, content(raw, outer.start).end);
  const oid = content(raw, algorithm.start);
  return raw.toString('hex', oid.start, oid.end);
}

/** Where the content of the DER element at this offset starts and ends. */
function content(der: Buffer, offset: number): { start: number; end: number } {
  const first = der[offset + 1]!;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  const start = offset + 2 + lengthBytes;
  return { start, end: start + (lengthBytes === 0 ? first : der.readUIntBE(offset + 2, lengthBytes)) };
}

const SERVER_AUTHENTICATION = '1.3.6.1.5.5.7.3.1';
const strongCurves = new Set(['prime256v1', 'secp384r1', 'secp521r1']);
/** Object identifiers in DER. */
const weakSignatures: Readonly<Record<string, string>> = {
  '2a864886f70d010104': 'MD5',
  '2a864886f70d010105': 'SHA-1',
  '2a8648ce3d0401': 'SHA-1',
};

function isRoot(certificate: X509Certificate): boolean {
  return certificate.issuer === certificate.subject;
}

/** A root itself, one that a well-known root issued, or one with the key of a well-known root (cross-signed, as Amazon Root CA 1 is). */
function reachesRoot(certificate: X509Certificate): boolean {
  if (isRoot(certificate)) return true;
  return wellKnownRoots().some(
    (root) =>
      (root.subject === certificate.issuer && certificate.verify(root.publicKey)) ||
      (root.subject === certificate.subject && root.publicKey.equals(certificate.publicKey)),
  );
}

let roots: readonly X509Certificate[] | undefined;
/** Read when first asked for; it takes some milliseconds. */
function wellKnownRoots(): readonly X509Certificate[] {
  roots ??= rootCertificates.map((pem) => new X509Certificate(pem));
  return roots;
}

function oneLine(subject: string): string {
  return subject.replaceAll('\n', ', ');
}

function readKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}
