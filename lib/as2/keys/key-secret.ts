/** The secret that the keys of AS2 are kept in, in the form in which the server reads it. */
import { createHash, createPrivateKey, X509Certificate } from 'node:crypto';
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import type { HeldKeys, PairText } from './held';

export interface Read {
  /** Of the secret; `none` before there is any. */
  readonly version: string;
  readonly keys: HeldKeys | undefined;
}

export class KeySecret {
  private readonly client = new SecretsManagerClient({ maxAttempts: 6 });

  constructor(readonly id: string) {}

  /** Throws an Error that names the secret, and quotes nothing of it, where the server could not use what is in it. */
  async read(): Promise<Read> {
    let version: string | undefined;
    let text: string | undefined;
    try {
      const found = await this.client.send(new GetSecretValueCommand({ SecretId: this.id }));
      version = found.VersionId;
      text = found.SecretString;
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return { version: 'none', keys: undefined };
      throw new Error(`as2Keys: the secret ${this.id} can't be read (${(error as Error).name})`);
    }
    return { version: version ?? 'unknown', keys: keysIn(text ?? '', this.id) };
  }

  /**
   * Puts in what follows a version. Of two that do so at once, the second one's is thrown away: both name the new version alike, and Secrets Manager takes a
   * name for one value alone (Secrets Manager API Reference, "PutSecretValue", `ClientRequestToken`).
   */
  async write(keys: HeldKeys, { after }: { readonly after: string }): Promise<void> {
    const ClientRequestToken = createHash('sha256').update(`after ${after} ${this.id}`).digest('hex');
    try {
      await this.client.send(new PutSecretValueCommand({ SecretId: this.id, ClientRequestToken, SecretString: JSON.stringify(keys) }));
    } catch (error) {
      if (!(error instanceof ResourceExistsException)) throw error;
    }
  }
}

function keysIn(text: string, id: string): HeldKeys {
  let value: HeldKeys | null;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`as2Keys: the secret ${id} is no JSON`); // without the cause, whose words quote the value
  }
  if (!isPair(value)) throw new Error(`as2Keys: the secret ${id} has not both certificate and privateKey in PEM`);
  for (const which of ['next', 'previous'] as const)
    if (value[which] !== undefined && !isPair(value[which]))
      throw new Error(`as2Keys: ${which} in the secret ${id} has not both certificate and privateKey in PEM`);
  return value;
}

/** Whether the server can use it: both are PEM, and belong together. */
function isPair(value: Partial<PairText> | null | undefined): value is PairText {
  if (typeof value?.certificate !== 'string' || typeof value.privateKey !== 'string') return false;
  try {
    return new X509Certificate(value.certificate).checkPrivateKey(createPrivateKey(value.privateKey));
  } catch {
    return false;
  }
}
