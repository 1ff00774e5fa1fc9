/** The secret that host keys are kept in, in the form in which the server reads it. */
import { createHash } from 'node:crypto';
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { type HostKey, hostKeysIn } from '../../../server/ssh/transport/host-keys';

export class HostKeySecret {
  private readonly client = new SecretsManagerClient({ maxAttempts: 6 });

  constructor(readonly id: string) {}

  /** Whether nobody has ever put anything in. Whatever is in there, it is never replaced. */
  async isEmpty(): Promise<boolean> {
    return (await this.value()) === undefined;
  }

  /**
   * Puts the first keys in. Of two that do so at once, the second one's are thrown away: both name the version alike, and Secrets Manager takes a name for
   * one value alone (Secrets Manager API Reference, "PutSecretValue", `ClientRequestToken`).
   */
  async writeFirst(privateKeys: readonly string[]): Promise<void> {
    const ClientRequestToken = createHash('sha256').update(`first ${this.id}`).digest('hex');
    try {
      await this.client.send(new PutSecretValueCommand({ SecretId: this.id, ClientRequestToken, SecretString: JSON.stringify({ privateKeys }) }));
    } catch (error) {
      if (!(error instanceof ResourceExistsException)) throw error;
    }
  }

  /** The keys. Throws an Error that names the secret, and quotes nothing of it, where the server could not use them. */
  async read(): Promise<HostKey[]> {
    const text = await this.value();
    if (text === undefined) throw new Error(`hostKeys: the secret ${this.id} does not exist or is empty`);
    const texts = privateKeysIn(text);
    if (!texts) throw new Error(`hostKeys: the secret ${this.id} has neither privateKey nor privateKeys with private keys as texts, as JSON`);
    return texts.flatMap((one, index) => {
      try {
        return hostKeysIn(one);
      } catch (error) {
        throw new Error(`hostKeys: key ${index + 1} in the secret ${this.id} ${(error as Error).message}`);
      }
    });
  }

  private async value(): Promise<string | undefined> {
    try {
      return (await this.client.send(new GetSecretValueCommand({ SecretId: this.id }))).SecretString ?? '';
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw new Error(`hostKeys: the secret ${this.id} can't be read (${(error as Error).name})`);
    }
  }
}

function privateKeysIn(text: string): string[] | undefined {
  let value: { privateKey?: unknown; privateKeys?: unknown } | null;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined; // without the cause, whose words quote the value
  }
  const keys = Array.isArray(value?.privateKeys) ? value.privateKeys : [value?.privateKey];
  return keys.length > 0 && keys.every((one): one is string => typeof one === 'string') ? keys : undefined;
}
