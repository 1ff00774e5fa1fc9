/** What partners are told: certificates, in parameters of Systems Manager that whoever looks after partners may read. */
import { X509Certificate } from 'node:crypto';
import { DeleteParameterCommand, PutParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { HeldKeys } from './held';

export class Published {
  private readonly client = new SSMClient({ maxAttempts: 6 });

  /** `prefix`: the names are `PREFIX/current` and `PREFIX/next`. */
  constructor(private readonly prefix: string) {}

  async tell({ certificate, next }: HeldKeys): Promise<void> {
    await this.put('current', certificate, 'Certificate that this service signs by, and that is encrypted for');
    if (next) await this.put('next', next.certificate, 'Certificate that this service signs by after the next change of its keys');
    else await this.remove('next');
  }

  /** Both go with what made them. */
  async forget(): Promise<void> {
    for (const name of ['current', 'next']) await this.remove(name);
  }

  private async put(name: string, Value: string, Description: string): Promise<void> {
    await this.client.send(new PutParameterCommand({ Name: `${this.prefix}/${name}`, Value, Description, Type: 'String', Overwrite: true }));
  }

  private async remove(name: string): Promise<void> {
    await this.client.send(new DeleteParameterCommand({ Name: `${this.prefix}/${name}` })).catch((error: Error) => {
      if (error.name !== 'ParameterNotFound') throw error;
    });
  }
}

/** SHA-256 of a certificate, as `openssl x509 -fingerprint -sha256` has it, and how long it lasts. */
export function fingerprintOf(pem: string | undefined): string {
  if (pem === undefined) return 'none';
  const { fingerprint256, validTo } = new X509Certificate(pem);
  return `${fingerprint256} until ${validTo}`;
}
