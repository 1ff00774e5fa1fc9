/** A small certificate authority for laptops and tests, made on first run; nothing of it is ever used on AWS. */
import 'reflect-metadata';
import { webcrypto, X509Certificate } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto as never);

export interface LocalCertificate {
  /** PEM file of the authority, for clients. */
  readonly ca: string;
  readonly certificate: string;
  readonly key: string;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;
/** Renewed when fewer days than these are left. */
const RENEW_DAYS = 14;

/** The files in `folder`, made or renewed where needed. The folder and the keys are for their owner only. */
export async function localCertificate(folder: string): Promise<LocalCertificate> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const files = { ca: join(folder, 'ca.pem'), caKey: join(folder, 'ca.key'), certificate: join(folder, 'server.pem'), key: join(folder, 'server.key') };
  if (await lastsLongEnough(files.ca)) {
    if (await lastsLongEnough(files.certificate)) return files;
  } else await makeAuthority(files.ca, files.caKey);
  await makeCertificate(files);
  return files;
}

async function lastsLongEnough(file: string): Promise<boolean> {
  if (!existsSync(file)) return false;
  return Date.parse(new X509Certificate(await readFile(file)).validTo) - Date.now() > RENEW_DAYS * DAY_MS;
}

async function makeAuthority(file: string, keyFile: string): Promise<void> {
  const keys = (await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=cdk-ftps local CA (${hostname()})`,
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + 3_650 * DAY_MS),
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  await writeFile(file, certificate.toString('pem'));
  await writeKey(keyFile, keys.privateKey);
}

async function makeCertificate(files: { ca: string; caKey: string; certificate: string; key: string }): Promise<void> {
  const authority = new x509.X509Certificate(await readFile(files.ca, 'utf8'));
  const der = x509.PemConverter.decodeFirst(await readFile(files.caKey, 'utf8'));
  const signingKey = await webcrypto.subtle.importKey('pkcs8', der, ALGORITHM, false, ['sign']);
  const keys = (await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
  const names = [...new Set(['localhost', hostname()])].filter((name) => /^[a-z0-9.-]+$/i.test(name));
  const certificate = await x509.X509CertificateGenerator.create({
    subject: 'CN=localhost',
    issuer: authority.subject,
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + 397 * DAY_MS),
    publicKey: keys.publicKey,
    signingKey: signingKey as never,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([
        ...names.map((value) => ({ type: 'dns' as const, value })),
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
      ]),
      await x509.AuthorityKeyIdentifierExtension.create(authority),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  await writeKey(files.key, keys.privateKey);
  await writeFile(files.certificate, certificate.toString('pem'));
}

async function writeKey(file: string, key: webcrypto.CryptoKey): Promise<void> {
  const der = await webcrypto.subtle.exportKey('pkcs8', key);
  await writeFile(file, x509.PemConverter.encode(der, 'PRIVATE KEY'), { mode: 0o600 });
  await chmod(file, 0o600);
}
