/** The secret that host keys are kept in, in the form in which the server reads it. */
import { type HostKey, hostKeysIn } from '../../../server/ssh/transport/host-keys';
import { KeysSecretValue } from '../../identity/keys-secret/value';

export class HostKeySecret {
  private readonly value: KeysSecretValue;

  constructor(readonly id: string) {
    this.value = new KeysSecretValue(id, 'hostKeys');
  }

  /** Whether nobody has ever put anything in. Whatever is in there, it is never replaced. */
  async isEmpty(): Promise<boolean> {
    return (await this.value.read()) === undefined;
  }

  /** Puts the first keys in. Of two that do so at once, the second one's are thrown away. */
  async writeFirst(privateKeys: readonly string[]): Promise<void> {
    await this.value.write('first', { privateKeys });
  }

  /** The keys. Throws an Error that names the secret, and quotes nothing of it, where the server could not use them. */
  async read(): Promise<HostKey[]> {
    const found = await this.value.read();
    if (!found) throw new Error(`hostKeys: the secret ${this.id} does not exist or is empty`);
    const texts = privateKeysIn(found.text);
    if (!texts) throw new Error(`hostKeys: the secret ${this.id} has neither privateKey nor privateKeys with private keys as texts, as JSON`);
    return texts.flatMap((one, index) => {
      try {
        return hostKeysIn(one);
      } catch (error) {
        throw new Error(`hostKeys: key ${index + 1} in the secret ${this.id} ${(error as Error).message}`);
      }
    });
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
