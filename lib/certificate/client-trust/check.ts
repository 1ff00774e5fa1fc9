/** What speaks against a bundle of authorities, or against a revocation list (RFC 5280 section 5). */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { certificatesIn } from '../../../server/config';

export interface Revocations {
  readonly pem: string;
  readonly issuer: string;
  readonly thisUpdate: Date;
  readonly nextUpdate: Date;
  readonly list: x509.X509Crl;
}

/** From DER or PEM. Throws an Error where it is neither. */
export function readRevocations(data: Buffer): Revocations {
  x509.cryptoProvider.set(webcrypto as never);
  let list: x509.X509Crl;
  try {
    list = new x509.X509Crl(data.subarray(0, 5).toString() === '-----' ? data.toString() : data);
  } catch {
    throw new Error('is no revocation list');
  }
  const { issuer, thisUpdate, nextUpdate } = list;
  if (!nextUpdate) throw new Error('the revocation list does not say until when it stands');
  return { pem: x509.PemConverter.encode(list.rawData, 'X509 CRL'), issuer, thisUpdate, nextUpdate, list };
}

export function bundleProblems(pem: string, now = new Date()): string[] {
  const authorities = certificatesIn(pem);
  if (authorities.length === 0) return ['the bundle has no PEM certificate'];
  return authorities.flatMap(({ ca, subject, validTo }) => {
    const name = subject.replaceAll('\n', ', ');
    return [...(ca ? [] : [`${name} is no authority`]), ...(Date.parse(validTo) > now.getTime() ? [] : [`${name} expired on ${validTo}`])];
  });
}

/** Names the reasons not to take a list: signed by nobody in the bundle, out of date, or older than the one before. */
export async function revocationProblems(
  { list, issuer, thisUpdate, nextUpdate }: Revocations,
  authorities: string,
  before: Revocations | undefined,
  now = new Date(),
): Promise<string[]> {
  const issuers = certificatesIn(authorities)
    .map(({ raw }) => new x509.X509Certificate(raw))
    .filter(({ subject }) => subject === issuer);
  const signed = await Promise.all(issuers.map(async (one) => list.verify({ publicKey: await one.publicKey.export() }).catch(() => false)));
  return [
    ...(signed.includes(true) ? [] : [`the list of ${issuer} is signed by no authority of the bundle`]),
    ...(nextUpdate > now ? [] : [`the list of ${issuer} stood until ${nextUpdate.toISOString()}`]),
    ...(before && before.thisUpdate > thisUpdate ? [`the list of ${issuer} is older than the one before`] : []),
  ];
}
