/** A throwaway certificate authority for tests: real keys, real chains. */
import 'reflect-metadata';
import { KeyObject, sign, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';
import { secret } from './written';

x509.cryptoProvider.set(webcrypto as never);

type Keys = webcrypto.CryptoKeyPair;
const EC = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const RSA = { name: 'RSASSA-PKCS1-v1_5', modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;

export interface Issued {
  readonly certificate: string;
  readonly key: string;
  readonly serialNumber: string;
}

export interface IssueOptions {
  readonly names?: readonly string[];
  readonly commonName?: string;
  readonly rsa?: boolean;
  readonly ed25519?: boolean;
  /** Days from now at which it begins and ends. */
  readonly from?: number;
  readonly until?: number;
  readonly client?: boolean;
  /** Where the authority answers whether the certificate still stands. */
  readonly ocsp?: string;
}

export class TestAuthority {
  private constructor(
    private readonly keys: Keys,
    private readonly certificate: x509.X509Certificate,
  ) {}

  static async create(name = 'CN=Test Root', parent?: TestAuthority): Promise<TestAuthority> {
    const keys = (await webcrypto.subtle.generateKey(EC, true, ['sign', 'verify'])) as Keys;
    const common = {
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + 3650 * DAY_MS),
      signingAlgorithm: EC,
      serialNumber: serial(),
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey as never),
      ],
    };
    const certificate = parent
      ? await x509.X509CertificateGenerator.create({
          ...common,
          subject: name,
          issuer: parent.certificate.subject,
          publicKey: keys.publicKey as never,
          signingKey: parent.keys.privateKey as never,
        })
      : await x509.X509CertificateGenerator.createSelfSigned({ ...common, name, keys: keys as never });
    return new TestAuthority(keys, certificate);
  }

  get pem(): string {
    return this.certificate.toString('pem');
  }

  async issue({
    names = ['localhost'],
    commonName = 'localhost',
    rsa = false,
    ed25519 = false,
    from = -1,
    until = 90,
    client = false,
    ocsp,
  }: IssueOptions = {}): Promise<Issued> {
    const keys = (await webcrypto.subtle.generateKey(ed25519 ? { name: 'Ed25519' } : rsa ? RSA : EC, true, ['sign', 'verify'])) as Keys;
    const certificate = await x509.X509CertificateGenerator.create({
      subject: `CN=${commonName}`,
      issuer: this.certificate.subject,
      notBefore: new Date(Date.now() + from * DAY_MS),
      notAfter: new Date(Date.now() + until * DAY_MS),
      publicKey: keys.publicKey as never,
      signingKey: this.keys.privateKey as never,
      signingAlgorithm: EC,
      serialNumber: serial(),
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.ExtendedKeyUsageExtension([client ? x509.ExtendedKeyUsage.clientAuth : x509.ExtendedKeyUsage.serverAuth]),
        new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: isIP(value) ? 'ip' : 'dns', value }))),
        await x509.AuthorityKeyIdentifierExtension.create(this.certificate),
        ...(ocsp ? [new x509.AuthorityInfoAccessExtension({ ocsp: [ocsp] })] : []),
      ],
    });
    const key = secret(x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY'));
    return { certificate: certificate.toString('pem'), key, serialNumber: certificate.serialNumber };
  }

  /** Signs bytes as the authority does, ECDSA with SHA-256 in DER. */
  sign(bytes: ArrayBuffer): Buffer {
    return sign('sha256', Buffer.from(bytes), KeyObject.from(this.keys.privateKey));
  }

  /** A revocation list (PEM) that names these serial numbers. */
  async revoke(...serialNumbers: string[]): Promise<string> {
    const crl = await x509.X509CrlGenerator.create({
      issuer: this.certificate.subject,
      thisUpdate: new Date(Date.now() - DAY_MS),
      nextUpdate: new Date(Date.now() + DAY_MS),
      signingKey: this.keys.privateKey as never,
      signingAlgorithm: EC,
      entries: serialNumbers.map((serialNumber) => ({ serialNumber, revocationDate: new Date(Date.now() - 1000) })),
    });
    return x509.PemConverter.encode(crl.rawData, 'X509 CRL');
  }
}

function serial(): string {
  return `01${Buffer.from(webcrypto.getRandomValues(new Uint8Array(15))).toString('hex')}`;
}
