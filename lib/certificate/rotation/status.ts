/** What is in the secret, for a person; never a key. */
import { X509Certificate } from 'node:crypto';
import { certificateProblems, daysLeftOf } from '../../../server/config';
import type { SecretVersions, VersionLabel } from './secret-versions';

export interface CertificateStatus {
  /** Every label of the version, AWSCURRENT being the one that is served. */
  readonly labels: readonly VersionLabel[];
  readonly versionId: string;
  readonly subject?: string;
  readonly names?: string;
  readonly serialNumber?: string;
  readonly notAfter?: string;
  readonly daysLeft?: number;
  readonly source?: string;
  /** What speaks against serving it; empty where nothing does. */
  readonly problems: readonly string[];
}

export async function statusOf(versions: SecretVersions, names: readonly string[]): Promise<CertificateStatus[]> {
  const byVersion = new Map<string, VersionLabel[]>();
  for (const [label, id] of await versions.labels()) byVersion.set(id, [...(byVersion.get(id) ?? []), label]);
  const all = await Promise.all([...byVersion].map(async ([versionId, labels]) => ({ versionId, labels, ...(await describe(versions, versionId, names)) })));
  return all.sort((one, other) => rank(one.labels) - rank(other.labels));
}

async function describe(versions: SecretVersions, versionId: string, names: readonly string[]): Promise<Omit<CertificateStatus, 'labels' | 'versionId'>> {
  const material = await versions.read(versionId);
  if (!material) return { problems: ['holds no certificate'] };
  const problems = certificateProblems(material, { names });
  try {
    const certificate = new X509Certificate(material.certificate);
    return {
      subject: certificate.subject.replaceAll('\n', ', '),
      names: certificate.subjectAltName,
      serialNumber: certificate.serialNumber,
      notAfter: new Date(certificate.validTo).toISOString(),
      daysLeft: Math.floor(daysLeftOf(certificate)),
      source: material.source,
      problems,
    };
  } catch {
    return { problems };
  }
}

const order: readonly VersionLabel[] = ['AWSCURRENT', 'AWSPREVIOUS', 'AWSPENDING'];
function rank(labels: readonly VersionLabel[]): number {
  const found = order.findIndex((label) => labels.includes(label));
  return found === -1 ? order.length : found;
}
