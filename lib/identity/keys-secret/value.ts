/** What a secret of keys holds, as the Lambda that makes them reads and writes it. */
import { createHash } from 'node:crypto';
import {
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';

export interface ReadValue {
  readonly version: string;
  readonly text: string;
}

export class KeysSecretValue {
  private readonly client = new SecretsManagerClient({ maxAttempts: 6 });

  /** `prop`: by which whoever deploys knows the keys. */
  constructor(
    readonly id: string,
    private readonly prop: 'hostKeys' | 'as2Keys',
  ) {}

  /** Undefined where nobody has ever put anything in. Throws an Error that names the secret where it can't be read. */
  async read(): Promise<ReadValue | undefined> {
    try {
      const { VersionId = 'unknown', SecretString = '' } = await this.client.send(new GetSecretValueCommand({ SecretId: this.id }));
      return { version: VersionId, text: SecretString };
    } catch (error) {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw new Error(`${this.prop}: the secret ${this.id} can't be read (${(error as Error).name})`);
    }
  }

  /**
   * Puts a value in that nobody has put in yet under that name, `first` for example. Of two that do so at once, the second one's is thrown away: both name
   * the version alike, and Secrets Manager takes a name for one value alone (Secrets Manager API Reference, "PutSecretValue", `ClientRequestToken`).
   */
  async write(name: string, value: object): Promise<void> {
    const ClientRequestToken = createHash('sha256').update(`${name} ${this.id}`).digest('hex');
    try {
      await this.client.send(new PutSecretValueCommand({ SecretId: this.id, ClientRequestToken, SecretString: JSON.stringify(value) }));
    } catch (error) {
      if (!(error instanceof ResourceExistsException)) throw error;
    }
  }
}
