/** The built rotation Lambda against moto's Private CA: the signing request it makes, and what it takes from the authority. */
import { createPrivateKey, createPublicKey, randomBytes, X509Certificate } from 'node:crypto';
import { CreateSecretCommand, GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { certificateProblems } from '../../../server/config';
import { type Moto, runRotation, startMoto } from './moto';

const names = ['ftps.example.com', 'files.example.com'];
let moto: Moto;
let secrets: SecretsManagerClient;
let authorityArn: string;
let root: string;

beforeAll(async () => {
  moto = await startMoto();
  secrets = new SecretsManagerClient({});
  const configuration = { KeyAlgorithm: 'RSA_2048', SigningAlgorithm: 'SHA256WITHRSA', Subject: { CommonName: 'Test Root' } };
  const made = await privateCa('CreateCertificateAuthority', {
    CertificateAuthorityConfiguration: configuration,
    CertificateAuthorityType: 'ROOT',
    UsageMode: 'SHORT_LIVED_CERTIFICATE',
  });
  authorityArn = made['CertificateAuthorityArn']!;
  const { Csr } = await privateCa('GetCertificateAuthorityCsr', { CertificateAuthorityArn: authorityArn });
  const { CertificateArn } = await privateCa('IssueCertificate', {
    CertificateAuthorityArn: authorityArn,
    Csr: Buffer.from(Csr!).toString('base64'),
    SigningAlgorithm: 'SHA256WITHRSA',
    TemplateArn: 'arn:aws:acm-pca:::template/RootCACertificate/V1',
    Validity: { Type: 'DAYS', Value: 3650 },
  });
  root = (await privateCa('GetCertificate', { CertificateAuthorityArn: authorityArn, CertificateArn }))['Certificate']!;
  await privateCa('ImportCertificateAuthorityCertificate', { CertificateAuthorityArn: authorityArn, Certificate: Buffer.from(root).toString('base64') });
});
afterAll(() => moto.stop());

/** moto reads the service out of the credential scope, and checks no signature. */
async function privateCa(action: string, body: object): Promise<Record<string, string>> {
  const response = await fetch(moto.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': `ACMPrivateCA.${action}`,
      authorization: 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/acm-pca/aws4_request, SignedHeaders=host, Signature=0',
    },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (!response.ok) throw new Error(`${action}: ${text}`);
  return text === '' ? {} : JSON.parse(text);
}

it.each(['RSA_2048', 'EC_prime256v1', 'EC_secp384r1'])(
  'a key %s made here is certified for every name, served, kept, and made anew when asked',
  async (algorithm) => {
    const { ARN: secretId } = await secrets.send(new CreateSecretCommand({ Name: `short-${randomBytes(4).toString('hex')}`, SecretString: 'generated' }));
    const run = (event: object) =>
      runRotation(
        {
          CERTIFICATE_ARN: undefined,
          AUTHORITY_ARN: authorityArn,
          KEY_ALGORITHM: algorithm,
          VALIDITY_DAYS: '7',
          SECRET_ID: secretId,
          NAMES: names.join(','),
          MIN_DAYS_LEFT: '1',
        },
        event,
      );
    const current = async () => JSON.parse((await secrets.send(new GetSecretValueCommand({ SecretId: secretId }))).SecretString!);

    expect((await run({})).outcome).toBe('rotated');
    const first = await current();
    expect(certificateProblems(first, { names })).toEqual([]);
    const certificate = new X509Certificate(first.certificate);
    expect(certificate.verify(new X509Certificate(root).publicKey)).toBe(true);
    expect(certificate.subject).toBe('CN=ftps.example.com');
    expect(certificate.subjectAltName).toBe('DNS:ftps.example.com, DNS:files.example.com');
    expect(certificate.publicKey.asymmetricKeyType).toBe(algorithm.startsWith('RSA') ? 'rsa' : 'ec');
    expect(createPublicKey(createPrivateKey(first.privateKey)).equals(certificate.publicKey)).toBe(true);

    expect((await run({ reason: 'schedule' })).outcome).toBe('current');
    expect(await current()).toEqual(first);

    expect((await run({ action: 'rotate', renew: true })).outcome).toBe('rotated');
    const second = await current();
    expect(certificateProblems(second, { names })).toEqual([]);
    expect(new X509Certificate(second.certificate).publicKey.equals(certificate.publicKey)).toBe(false); // every certificate has a key of its own
  },
);
