/**
 * A certificate straight from AWS Private CA, for authorities in short-lived mode, with which ACM can't issue (Private CA user
 * guide, "CA modes"). The key is made here and nowhere else.
 */
import 'reflect-metadata';
import { randomUUID, webcrypto, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { type CertificateMaterial, certificateProblems } from '../../../server/config';
import { asking, RotationFailure } from './failure';
import type { PrivateCaApi } from './private-ca-api';
import type { CertificateSource } from './source';

export interface PrivateCaIssue {
  readonly authorityArn: string;
  /** The first is also the common name. */
  readonly names: readonly string[];
  /** By ACM's name: RSA_2048, EC_prime256v1 … */
  readonly keyAlgorithm: string;
  /** How long a certificate lasts. Days. */
  readonly validityDays: number;
}

/** Whole rounds of asking for a certificate that is being made, and the time between them. Milliseconds. */
const ROUNDS = 30;
const BETWEEN_MS = 1_000;

const keys: Readonly<Record<string, webcrypto.RsaHashedKeyGenParams | (webcrypto.EcKeyGenParams & { hash: string })>> = {
  RSA_2048: rsa(2_048),
  RSA_3072: rsa(3_072),
  RSA_4096: rsa(4_096),
  EC_prime256v1: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  EC_secp384r1: { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  EC_secp521r1: { name: 'ECDSA', namedCurve: 'P-521', hash: 'SHA-512' },
};

export function privateCaSource(api: PrivateCaApi, issue: PrivateCaIssue): CertificateSource {
  return {
    id: issue.authorityArn,
    async latest(current, renew) {
      if (current && !renew && lastsHalf(current) && certificateProblems(current, { names: issue.names }).length === 0) return current;
      return issued(api, issue);
    },
  };
}

/** Renewed at half of its life, so that there is as much time again to repair what fails. */
function lastsHalf({ certificate }: CertificateMaterial): boolean {
  const { validFrom, validTo } = new X509Certificate(certificate);
  return Date.now() < (Date.parse(validFrom) + Date.parse(validTo)) / 2;
}

async function issued(api: PrivateCaApi, { authorityArn, names, keyAlgorithm, validityDays }: PrivateCaIssue): Promise<CertificateMaterial> {
  const algorithm = keys[keyAlgorithm];
  if (!algorithm) throw new RotationFailure('source', `keys of the kind ${keyAlgorithm} can't be made here; choose one of ${Object.keys(keys).join(', ')}`);
  const { request, privateKey } = await signingRequest(algorithm, names);
  const certificateArn = await asking('source', 'Issuing the certificate', async () =>
    api.issue({ authorityArn, request, validityDays, signingAlgorithm: await api.signingAlgorithm(authorityArn), token: randomUUID() }),
  );
  for (let round = 0; round < ROUNDS; round += 1) {
    const made = await asking('source', 'Fetching the certificate', () => api.get(authorityArn, certificateArn));
    if (made) return { ...made, privateKey };
    await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
  }
  throw new RotationFailure('source', `${certificateArn} was still being made after ${(ROUNDS * BETWEEN_MS) / 1000} seconds`);
}

async function signingRequest(
  algorithm: webcrypto.RsaHashedKeyGenParams | webcrypto.EcKeyGenParams,
  names: readonly string[],
): Promise<{ request: string; privateKey: string }> {
  x509.cryptoProvider.set(webcrypto as never);
  const pair = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: `CN=${names[0]}`,
    keys: pair as never,
    signingAlgorithm: algorithm as never,
    extensions: [new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns' as const, value })))],
  });
  const der = await webcrypto.subtle.exportKey('pkcs8', pair.privateKey);
  return { request: request.toString('pem'), privateKey: x509.PemConverter.encode(der, 'PRIVATE KEY') };
}

function rsa(modulusLength: number): webcrypto.RsaHashedKeyGenParams {
  return { name: 'RSASSA-PKCS1-v1_5', modulusLength, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' };
}
