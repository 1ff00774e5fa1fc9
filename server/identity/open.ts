/** The sources of accounts that the configuration names, asked in order: the first that knows the user decides. */
import type { Audit } from '../audit/event';
import type { ServerConfig } from '../config';
import { directoryAccounts } from './directory/accounts';
import { fileAccounts } from './file-accounts';
import type { Identity } from './identity';
import { inOrder } from './in-order';
import { secretAccounts } from './secret-accounts';

export async function openIdentity(config: ServerConfig, audit: Audit): Promise<Identity> {
  const sources = await Promise.all(config.identity.map((source, index) => openSource(source, `identity[${index}]`, audit)));
  return sources.length === 1 ? sources[0]! : inOrder(sources);
}

function openSource(source: ServerConfig['identity'][number], key: string, audit: Audit): Promise<Identity> {
  if (source.kind === 'file') return fileAccounts(source.file, audit);
  if (source.kind === 'secrets') return Promise.resolve(secretAccounts(source));
  return directoryAccounts(source, key, audit);
}
