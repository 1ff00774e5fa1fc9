/** The secret that the keys of AS2 are kept in, in the form in which the server reads it. */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { KeysSecretValue } from '../../identity/keys-secret/value';
import type { HeldKeys, PairText } from './held';

export interface Read {
  /** Of the secret; `none` before there is any. */
  readonly version: string;
  readonly keys: HeldKeys | undefined;
}

export class KeySecret {
  private readonly value: KeysSecretValue;

  constructor(readonly id: string) {
    this.value = new KeysSecretValue(id, 'as2Keys');
  }

  /** Throws an Error that names the secret, and quotes nothing of it, where the server could not use what is in it. */
  async read(): Promise<Read> {
    const found = await this.value.read();
    return found ? { version: found.version, keys: keysIn(found.text, this.id) } : { version: 'none', keys: undefined };
  }

  /** Puts in what follows a version. Of two that do so at once, the second one's is thrown away. */
  async write(keys: HeldKeys, { after }: { readonly after: string }): Promise<void> {
    await this.value.write(`after ${after}`, keys);
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
