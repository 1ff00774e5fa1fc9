/** The sources of accounts that the configuration names, asked in order: the first that knows the user decides. */
import type { Audit } from '../audit/event';
import type { ServerConfig } from '../config';
import { directoryAccounts } from './directory/accounts';
import { fileAccounts } from './file-accounts';
import type { PasswordChecks } from './hashing/checks';
import type { Identity } from './identity';
import { inOrder } from './in-order';
import { Remembering } from './remembering';
import { secretAccounts } from './secret-accounts';

/** Opens them. `passwords` are checked wherever their threads are. */
export async function openIdentity(config: ServerConfig, audit: Audit, passwords: PasswordChecks): Promise<Identity> {
  const sources = await Promise.all(config.identity.map((source, index) => openSource(source, `identity[${index}]`, audit, passwords)));
  return new Remembering(sources.length === 1 ? sources[0]! : inOrder(sources), config.passwords.rememberSeconds);
}

function openSource(source: ServerConfig['identity'][number], key: string, audit: Audit, passwords: PasswordChecks): Promise<Identity> {
  if (source.kind === 'file') return fileAccounts(source.file, audit, passwords);
  if (source.kind === 'secrets') return Promise.resolve(secretAccounts(source, passwords));
  return directoryAccounts(source, key, audit);
}
