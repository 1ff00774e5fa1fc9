/** The password of the service account, read anew for every connection so that a rotated one is taken up. */
import { readFile } from 'node:fs/promises';
import type { DirectorySettings } from '../../config';
import { readSecret } from '../../secrets/secret';

type ServiceBind = Extract<DirectorySettings['bind'], { kind: 'service' }>;

/** Throws an Error that names the place and never the password. */
export async function servicePassword({ passwordSecretId, passwordFile }: ServiceBind): Promise<string> {
  if (passwordSecretId !== undefined) {
    const value = (await readSecret(passwordSecretId)) as { password?: unknown } | null;
    if (typeof value?.password !== 'string' || value.password === '') throw new Error(`the secret ${passwordSecretId} has no "password"`);
    return value.password;
  }
  const text = await readFile(passwordFile!, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${passwordFile} can't be read (${error.code})`);
  });
  const [line = ''] = text.split(/\r?\n/);
  if (line === '') throw new Error(`${passwordFile} is empty; its first line must be the password of the service account`);
  return line;
}
