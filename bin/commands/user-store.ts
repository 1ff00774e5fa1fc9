/** Where `ftps user` keeps accounts: a file, or AWS Secrets Manager. */
import type { Command } from 'commander';
import type { AccountStore } from './account-store';
import { readConfig } from './config';
import { UsageError } from './exit';
import { fileStore } from './user-file-store';
import { secretStore } from './user-secret-store';

export interface StoreFlags {
  readonly file?: string;
  readonly prefix?: string;
  readonly config?: string;
  readonly kmsKey?: string;
}

/** The flags that name a store. */
export function withStore(command: Command): Command {
  return command
    .option('--file <file>', 'accounts file')
    .option('--prefix <prefix>', 'prefix of the secrets, as the stack prints it (AccountsPrefix)')
    .option('--config <file>', "the server's configuration, which names one of the two")
    .option('--kms-key <id>', 'key that encrypts a new secret');
}

/** The store that the flags name; with --config, the only one that the configuration names. */
export async function openStore({ file, prefix, config, kmsKey }: StoreFlags): Promise<AccountStore> {
  if ([file, prefix, config].filter((flag) => flag !== undefined).length !== 1)
    throw new UsageError('say where the accounts are: --file FILE, --prefix PREFIX of their secrets, or --config FILE of the server');
  if (file !== undefined) return fileStore(file);
  if (prefix !== undefined) return secretStore(prefix, kmsKey);
  const sources = (await readConfig(config!)).identity.filter(({ kind }) => kind !== 'directory');
  const [source] = sources;
  if (!source || sources.length > 1) throw new UsageError(`--config ${config}: names ${sources.length} sources of accounts; say --file or --prefix`);
  return source.kind === 'file' ? fileStore(source.file) : secretStore(source.kind === 'secrets' ? source.prefix : '', kmsKey);
}
