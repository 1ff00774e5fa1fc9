/** Opens the door of SSH: host keys, policy, port. */
import { readFile } from 'node:fs/promises';
import type { SftpConfig } from '../config';
import { findSecret } from '../secrets/secret';
import type { SshEngine } from './engine';
import { SshListener } from './listener';
import { byAlgorithm, HostKey } from './transport/host-keys';
import { sshPolicies } from './transport/policy';

/** Opens the port. Throws an Error that names the setting where a key can't be used. */
export async function openSsh(engine: Omit<SshEngine, 'hostKeys' | 'policy'>): Promise<SshListener> {
  const policy = sshPolicies[engine.config.tls.policy];
  const hostKeys = byAlgorithm(await readHostKeys(engine.config.sftp.hostKeys));
  if (!policy.hostKeys.some((name) => hostKeys.has(name)))
    throw new Error(`sftp.hostKeys: none is of a kind that the policy "${engine.config.tls.policy}" takes: ${policy.hostKeys.join(', ')}`);
  const listener = new SshListener({ ...engine, hostKeys, policy });
  await listener.open();
  return listener;
}

async function readHostKeys(settings: SftpConfig['hostKeys']): Promise<HostKey[]> {
  const texts = await Promise.all(
    settings.map(async (one, index) => {
      const key = `sftp.hostKeys[${index}]`;
      const found = one.kind === 'file' ? [await readText(one.file, key)] : await secretKeys(one.secretId, key);
      return found.map((text) => ({ key, text }));
    }),
  );
  return texts.flat().map(({ key, text }) => {
    try {
      return HostKey.read(text);
    } catch (error) {
      throw new Error(`${key}: ${(error as Error).message}`);
    }
  });
}

async function readText(file: string, key: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${key}.file: ${file} can't be read (${error.code})`);
  });
}

async function secretKeys(secretId: string, key: string): Promise<string[]> {
  const value = (await findSecret(secretId)) as { privateKey?: unknown; privateKeys?: unknown } | undefined;
  const keys = Array.isArray(value?.privateKeys) ? value.privateKeys : [value?.privateKey];
  if (!keys.every((one): one is string => typeof one === 'string')) throw new Error(`${key}.secretId: ${secretId} has neither privateKey nor privateKeys`);
  return keys;
}
