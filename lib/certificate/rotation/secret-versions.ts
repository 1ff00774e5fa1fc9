/** The versions of the secret and the labels that say which one is served. */
import { createHash, X509Certificate } from 'node:crypto';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';
import { type CertificateMaterial, certificatesIn } from '../../../server/config';
import { asking } from './failure';

/** Material, and the ARN of the source it came from. */
export interface StoredCertificate extends CertificateMaterial {
  readonly source?: string;
}

/** A version with this label was taken out of service by a person and is not put back by itself. */
export const ROLLED_BACK = 'ROLLED_BACK';

/** Labels of Secrets Manager, and the one above. */
export type VersionLabel = 'AWSCURRENT' | 'AWSPREVIOUS' | 'AWSPENDING' | typeof ROLLED_BACK;

export class SecretVersions {
  constructor(
    private readonly client: SecretsManagerClient,
    private readonly secretId: string,
  ) {}

  /** Version ids by their labels. */
  async labels(): Promise<ReadonlyMap<VersionLabel, string>> {
    const { VersionIdsToStages = {} } = await asking('store', 'Describing the secret', () =>
      this.client.send(new DescribeSecretCommand({ SecretId: this.secretId })),
    );
    return new Map(Object.entries(VersionIdsToStages).flatMap(([id, labels = []]) => labels.map((label) => [label as VersionLabel, id] as const)));
  }

  /** The material of a version, or undefined where there is none that is whole. */
  async read(versionId: string): Promise<StoredCertificate | undefined> {
    const text = await asking('store', 'Reading the secret', async () => {
      try {
        return (await this.client.send(new GetSecretValueCommand({ SecretId: this.secretId, VersionId: versionId }))).SecretString;
      } catch (error) {
        if (error instanceof ResourceNotFoundException) return undefined;
        throw error;
      }
    });
    try {
      const { certificate, chain = '', privateKey, source } = JSON.parse(text ?? '') as Partial<StoredCertificate>;
      return certificate && privateKey ? { certificate, chain, privateKey, source } : undefined;
    } catch {
      return undefined; // a secret that CloudFormation has just made holds a generated string
    }
  }

  /** Stores the material as AWSPENDING and returns its version. Doing so twice makes one version. */
  async put(stored: StoredCertificate): Promise<string> {
    const versionId = versionOf(stored);
    await asking('store', 'Storing the certificate', () =>
      this.client.send(
        new PutSecretValueCommand({
          SecretId: this.secretId,
          ClientRequestToken: versionId,
          SecretString: JSON.stringify(stored),
          VersionStages: ['AWSPENDING'],
        }),
      ),
    );
    return versionId;
  }

  /** Moves a label to a version, from whichever has it; one atomic step. */
  async move(label: VersionLabel, versionId: string): Promise<void> {
    const from = (await this.labels()).get(label);
    if (from === versionId) return;
    await asking('store', `Moving ${label}`, () =>
      this.client.send(
        new UpdateSecretVersionStageCommand({ SecretId: this.secretId, VersionStage: label, MoveToVersionId: versionId, RemoveFromVersionId: from }),
      ),
    );
  }

  /** Takes a label away; does nothing where no version has it. */
  async remove(label: VersionLabel): Promise<void> {
    const from = (await this.labels()).get(label);
    if (from === undefined) return;
    await asking('store', `Removing ${label}`, () =>
      this.client.send(new UpdateSecretVersionStageCommand({ SecretId: this.secretId, VersionStage: label, RemoveFromVersionId: from })),
    );
  }
}

/**
 * The same certificate and chain give the same version, so that a repeated run finds its version instead of making another: 64
 * hexadecimal digits, within the 32 to 64 characters of a ClientRequestToken (API reference, PutSecretValue).
 */
export function versionOf({ certificate, chain, source = '' }: StoredCertificate): string {
  const hash = createHash('sha256').update(source).update(new X509Certificate(certificate).raw);
  for (const one of certificatesIn(chain)) hash.update(one.raw);
  return hash.digest('hex');
}
