/** How CMS names certificates: by issuer and serial number, or by the identifier of their key (RFC 5652 section 10.2.4). */
import type { X509Certificate } from 'node:crypto';
import { malformed, type Node, readWhole, sequence } from './der';

interface Identity {
  /** DER of the issuer's name. */
  readonly issuer: Buffer;
  /** The content of the serial number. */
  readonly serial: Buffer;
  /** DER of the serial number. */
  readonly serialDer: Buffer;
  /** Where the certificate says it. */
  readonly keyIdentifier: Buffer | undefined;
}

const SUBJECT_KEY_IDENTIFIER = '2.5.29.14';
const identities = new WeakMap<X509Certificate, Identity>();

export function identityOf(certificate: X509Certificate): Identity {
  const known = identities.get(certificate);
  if (known) return known;
  const fields = readWhole(certificate.raw).child(0).children;
  const from = fields[0]?.tag === 0xa0 ? 1 : 0;
  const [serial, issuer] = [fields[from], fields[from + 2]];
  if (!serial || !issuer) throw new Error('A certificate has no serial number or no issuer');
  const identity = { issuer: issuer.raw, serial: serial.content, serialDer: serial.raw, keyIdentifier: keyIdentifier(fields.find(({ tag }) => tag === 0xa3)) };
  identities.set(certificate, identity);
  return identity;
}

/** IssuerAndSerialNumber. */
export function issuerAndSerial(certificate: X509Certificate): Buffer {
  const { issuer, serialDer } = identityOf(certificate);
  return sequence(issuer, serialDer);
}

/**
 * Which of them are named by an IssuerAndSerialNumber or a [0] SubjectKeyIdentifier. Some peers write the issuer's name with strings of another type than the certificate
 * has: the serial number alone is enough, since whoever is named still has to prove the key.
 */
export function named<T>(all: readonly T[], certificateOf: (one: T) => X509Certificate, name: Node): readonly T[] {
  if ((name.tag & 0xdf) === 0x80) return all.filter((one) => identityOf(certificateOf(one)).keyIdentifier?.equals(name.octets));
  const [issuer, serial] = [name.child(0), name.child(1)];
  if (serial.tag !== 0x02) throw malformed('a certificate is named in another way than by its issuer and number');
  const sameNumber = all.filter((one) => identityOf(certificateOf(one)).serial.equals(serial.content));
  const exact = sameNumber.filter((one) => identityOf(certificateOf(one)).issuer.equals(issuer.raw));
  return exact.length > 0 ? exact : sameNumber;
}

/** A certificate's name for our own audit. */
export function subjectOf(certificate: X509Certificate): string {
  return certificate.subject?.replaceAll('\n', ', ') || `number ${certificate.serialNumber}`;
}

/** What is said of a certificate that nobody here has. */
export function described(name: Node): string {
  return (name.tag & 0xdf) === 0x80
    ? `with key identifier ${name.octets.toString('hex').slice(0, 80)}`
    : `number ${name.child(1).content.toString('hex').toUpperCase().slice(0, 80)}`;
}

/** Whether a certificate may be used at a time. */
export function isWithinDates(certificate: X509Certificate, now: Date): boolean {
  return now >= new Date(certificate.validFrom) && now <= new Date(certificate.validTo);
}

/** The identifier of the key as CMS has it: [0] IMPLICIT OCTET STRING. */
function keyIdentifier(extensions: Node | undefined): Buffer | undefined {
  for (const extension of extensions?.child(0).children ?? []) {
    if (extension.child(0).oid !== SUBJECT_KEY_IDENTIFIER) continue;
    return readWhole(extension.children.at(-1)!.octets).octets;
  }
  return undefined;
}
