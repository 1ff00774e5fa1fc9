/**
 * One rotation: export under a fresh passphrase, decrypt in memory, check, store as AWSPENDING, read back and check again, and
 * only then move AWSCURRENT. Each step may be the last one before a crash, and the whole may run twice: the outcome is the same.
 */
import { createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { type ACMClient, ExportCertificateCommand } from '@aws-sdk/client-acm';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { type CertificateMaterial, certificateProblems, daysLeftOf } from '../../../server/config';

export interface Clients {
  readonly acm: ACMClient;
  readonly secrets: SecretsManagerClient;
}

export interface Rotation {
  readonly certificateArn: string;
  readonly secretId: string;
  readonly names: readonly string[];
  readonly minDaysLeft: number;
}

export interface RotationResult {
  /** False where the certificate in use is the one that ACM has. */
  readonly changed: boolean;
  readonly serialNumber: string;
  readonly daysLeft: number;
}

export async function rotate({ acm, secrets }: Clients, { certificateArn, secretId, names, minDaysLeft }: Rotation): Promise<RotationResult> {
  const exported = await exportCertificate(acm, certificateArn);
  refuseIfWrong(exported, { names, minDaysLeft });
  const certificate = new X509Certificate(exported.certificate);
  const result = { serialNumber: certificate.serialNumber, daysLeft: Math.floor(daysLeftOf(certificate)) };
  if (serialOf(await materialAt(secrets, secretId, 'AWSCURRENT')) === certificate.serialNumber) return { ...result, changed: false };

  // The same certificate gives the same token, so that a repeated run finds its version instead of making another.
  const token = tokenOf(certificate);
  await secrets.send(
    new PutSecretValueCommand({ SecretId: secretId, ClientRequestToken: token, SecretString: JSON.stringify(exported), VersionStages: ['AWSPENDING'] }),
  );
  const stored = await materialAt(secrets, secretId, 'AWSPENDING', token);
  if (!stored) throw new Error('the pending version of the secret can not be read back');
  refuseIfWrong(stored, { names, minDaysLeft });
  await makeCurrent(secrets, secretId, token);
  return { ...result, changed: true };
}

async function exportCertificate(acm: ACMClient, certificateArn: string): Promise<CertificateMaterial> {
  const passphrase = randomBytes(32).toString('base64url');
  const {
    Certificate,
    CertificateChain = '',
    PrivateKey,
  } = await acm.send(new ExportCertificateCommand({ CertificateArn: certificateArn, Passphrase: Buffer.from(passphrase) }));
  if (!Certificate || !PrivateKey) throw new Error('ACM exported no certificate or no private key');
  let privateKey: string;
  try {
    privateKey = createPrivateKey({ key: PrivateKey, passphrase }).export({ type: 'pkcs8', format: 'pem' }).toString();
  } catch {
    throw new Error('the exported private key can not be decrypted'); // without the cause, which may quote it
  }
  return { certificate: Certificate, chain: CertificateChain, privateKey };
}

function refuseIfWrong(material: CertificateMaterial, expectation: { names: readonly string[]; minDaysLeft: number }): void {
  const problems = certificateProblems(material, expectation);
  if (problems.length > 0) throw new Error(`the certificate is refused: ${problems.join('; ')}`);
}

/** The material of one version, or undefined where there is none that is whole. */
async function materialAt(secrets: SecretsManagerClient, secretId: string, stage: string, versionId?: string): Promise<CertificateMaterial | undefined> {
  try {
    const { SecretString } = await secrets.send(new GetSecretValueCommand({ SecretId: secretId, VersionStage: stage, VersionId: versionId }));
    const value = JSON.parse(SecretString ?? '') as Partial<CertificateMaterial>;
    return value.certificate && value.privateKey ? { certificate: value.certificate, chain: value.chain ?? '', privateKey: value.privateKey } : undefined;
  } catch (error) {
    // A secret that CloudFormation has just made holds a generated string, or nothing.
    if (error instanceof ResourceNotFoundException || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function makeCurrent(secrets: SecretsManagerClient, secretId: string, versionId: string): Promise<void> {
  const { VersionIdsToStages = {} } = await secrets.send(new DescribeSecretCommand({ SecretId: secretId }));
  const current = Object.entries(VersionIdsToStages).find(([, stages]) => stages?.includes('AWSCURRENT'))?.[0];
  if (current === versionId) return;
  await secrets.send(
    new UpdateSecretVersionStageCommand({ SecretId: secretId, VersionStage: 'AWSCURRENT', MoveToVersionId: versionId, RemoveFromVersionId: current }),
  );
}

function serialOf(material: CertificateMaterial | undefined): string | undefined {
  try {
    return material && new X509Certificate(material.certificate).serialNumber;
  } catch {
    return undefined;
  }
}

/** 64 hexadecimal digits, within the 32 to 64 characters that a ClientRequestToken may have (API reference, PutSecretValue). */
function tokenOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase();
}
