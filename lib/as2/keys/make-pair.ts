/** A new key and its certificate, signed by itself: partners of AS2 are told certificates, and ask no authority. */
import 'reflect-metadata';
import { randomBytes, webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import type { PairText } from './held';

/** RSA, which every partner takes, as long as NIST SP 800-57 part 1 has it for the years after 2030. */
const ALGORITHM = { name: 'RSASSA-PKCS1-v1_5', modulusLength: 3_072, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' };
const DAY_MS = 86_400_000;

/** A UTF8String in DER, which the library takes as it stands: quotes and commas of a name mean something to it. X.520 has room for 64 characters. */
function commonName(name: string): string {
  const bytes = Buffer.from(name.slice(0, 64), 'latin1');
  return `#${Buffer.concat([Buffer.from([0x0c, bytes.length]), bytes]).toString('hex')}`;
}

/** `name` is the AS2 name that it is for, in ASCII. */
export async function makePair(name: string, validityDays: number, now = new Date()): Promise<PairText> {
  x509.cryptoProvider.set(webcrypto as never);
  const keys = (await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
  const { digitalSignature, keyEncipherment } = x509.KeyUsageFlags;
  const serial = randomBytes(16);
  serial[0] = (serial[0]! & 0x7f) | 0x40; // positive, and of the same length always
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serial.toString('hex'),
    name: [{ CN: [commonName(name)] }],
    // A partner's clock may be behind.
    notBefore: new Date(now.getTime() - DAY_MS),
    notAfter: new Date(now.getTime() + validityDays * DAY_MS),
    keys: keys as never,
    signingAlgorithm: ALGORITHM,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(digitalSignature | keyEncipherment, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey as never),
    ],
  });
  const der = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { certificate: `${certificate.toString('pem')}\n`, privateKey: `${x509.PemConverter.encode(der, 'PRIVATE KEY')}\n` };
}
