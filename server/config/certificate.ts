/** Whether a certificate can be served: the same check for the Lambda that rotates it and for the server that loads it. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';

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
  readonly now?: Date;
}

const DAY_MS = 86_400_000;
/** RSA keys shorter than this are refused by clients and by FIPS 186-5. Bits. */
const SHORTEST_RSA = 2_048;
const pemBlock = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** Everything that speaks against serving this certificate; empty where nothing does. Never quotes the key. */
export function certificateProblems(material: CertificateMaterial, { names = [], minDaysLeft = 0, now = new Date() }: CertificateExpectation = {}): string[] {
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
  const { asymmetricKeyType, asymmetricKeyDetails } = leaf.publicKey;
  if (asymmetricKeyType === 'rsa' && (asymmetricKeyDetails?.modulusLength ?? 0) < SHORTEST_RSA)
    problems.push(`the RSA key has fewer than ${SHORTEST_RSA} bits`);
  if (Date.parse(leaf.validFrom) > now.getTime()) problems.push(`the certificate is not valid before ${leaf.validFrom}`);
  const daysLeft = daysLeftOf(leaf, now);
  if (daysLeft <= 0) problems.push(`the certificate expired on ${leaf.validTo}`);
  else if (daysLeft < minDaysLeft) problems.push(`the certificate lasts ${Math.floor(daysLeft)} more days, fewer than ${minDaysLeft}`);
  for (const name of names) if (!leaf.checkHost(name)) problems.push(`the certificate does not cover ${name}`);
  problems.push(...chainProblems(leaf, chain, now));
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

function chainProblems(leaf: X509Certificate, chain: readonly X509Certificate[], now: Date): string[] {
  const selfSigned = leaf.issuer === leaf.subject;
  if (chain.length === 0) return selfSigned ? [] : ['the chain is missing: clients could not reach a root from the certificate alone'];
  const problems: string[] = [];
  let below = leaf;
  chain.forEach((certificate, index) => {
    if (!below.checkIssued(certificate) || !below.verify(certificate.publicKey))
      problems.push(`certificate ${index + 1} of the chain did not issue the one before it`);
    if (Date.parse(certificate.validTo) <= now.getTime()) problems.push(`certificate ${index + 1} of the chain expired on ${certificate.validTo}`);
    below = certificate;
  });
  return problems;
}

function readKey(pem: string): KeyObject | undefined {
  try {
    return createPrivateKey(pem);
  } catch {
    return undefined;
  }
}
