/** The keys that the server proves itself with: read from files and secrets, replaced while sessions go on. */
import type { FSWatcher } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Audit } from '../audit/event';
import type { SftpConfig } from '../config';
import { watchFile } from '../identity/watch-file';
import { findSecret } from '../secrets/secret';
import { byAlgorithm, type HostKey, hostKeysIn } from './transport/host-keys';
import { sshPolicies } from './transport/policy';

type Settings = SftpConfig['hostKeys'];

export class HostKeys {
  private readonly timers: NodeJS.Timeout[] = [];
  private readonly watchers: FSWatcher[] = [];
  /** By the algorithms that they sign with: of several of one type the first. */
  byAlgorithm: ReadonlyMap<string, HostKey>;

  private constructor(
    private readonly settings: Settings,
    private readonly policy: keyof typeof sshPolicies,
    private readonly audit: Audit,
    /** All of them, also those that wait behind another of their type. */
    public all: readonly HostKey[],
  ) {
    this.byAlgorithm = byAlgorithm(all);
  }

  /** Throws an Error that names the setting where a key can't be used. */
  static async open(settings: Settings, policy: keyof typeof sshPolicies, audit: Audit): Promise<HostKeys> {
    const opened = new HostKeys(settings, policy, audit, await readHostKeys(settings, policy));
    const again = () => void opened.reload();
    for (const one of settings)
      if (one.kind === 'file') opened.watchers.push(watchFile(one.file, again));
      // A tenth of jitter, so that a fleet does not ask all at once.
      else opened.timers.push(setInterval(again, one.pollSeconds * 1000 * (0.9 + Math.random() * 0.2)).unref());
    return opened;
  }

  /** Reads them again, for connections that come from now on. What is bad is refused and reported, and the last good ones stay. */
  async reload(): Promise<boolean> {
    try {
      const all = await readHostKeys(this.settings, this.policy);
      const described = (keys: readonly HostKey[]) => keys.map(({ type, fingerprint }) => `${type} ${fingerprint}`).join(', ');
      if (described(all) !== described(this.all)) this.audit.record({ kind: 'configuration', change: 'reloaded', what: 'host keys', detail: described(all) });
      this.all = all;
      this.byAlgorithm = byAlgorithm(all);
      return true;
    } catch (error) {
      this.audit.record({ kind: 'configuration', change: 'refused', what: 'host keys', detail: (error as Error).message });
      return false;
    }
  }

  close(): void {
    for (const timer of this.timers) clearInterval(timer);
    for (const watcher of this.watchers) watcher.close();
  }
}

/** Those that the policy takes, each once. */
async function readHostKeys(settings: Settings, policy: keyof typeof sshPolicies): Promise<HostKey[]> {
  const texts = await Promise.all(
    settings.map(async (one, index) => {
      const key = `sftp.hostKeys[${index}]`;
      const found = one.kind === 'file' ? [await readText(one.file, key)] : await secretKeys(one.secretId, key);
      return found.map((text) => ({ key, text }));
    }),
  );
  const keys = texts.flat().flatMap(({ key, text }) => {
    try {
      return hostKeysIn(text);
    } catch (error) {
      throw new Error(`${key}: ${(error as Error).message}`);
    }
  });
  const { hostKeys: algorithms } = sshPolicies[policy];
  const usable = keys.filter(
    (key, index) => algorithms.some((name) => byAlgorithm([key]).has(name)) && keys.findIndex(({ line }) => line === key.line) === index,
  );
  if (usable.length === 0) throw new Error(`sftp.hostKeys: none is of a kind that the policy "${policy}" takes: ${algorithms.join(', ')}`);
  return usable;
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
