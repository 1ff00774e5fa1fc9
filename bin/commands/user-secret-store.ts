/** Accounts in AWS Secrets Manager, one secret each. The SDK finds region and credentials by itself. */
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  PutSecretValueCommand,
  paginateListSecrets,
  ResourceNotFoundException,
  RestoreSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { checkAccounts } from '../../server/identity/file-accounts';
import { accountOf } from '../../server/identity/password-account';
import { accountIn } from '../../server/identity/secret-accounts';
import type { PlainPasswordAccount } from '../../server/identity/transfer-family';
import { findSecret } from '../../server/secrets/secret';
import type { ImportedAccount } from './user-import';
import type { AccountStore, WrittenAccount } from './user-store';

export interface SecretStore extends AccountStore {
  /** Every account, with the passwords that are kept unhashed, for a move to another store. */
  everything(): Promise<ImportedAccount[]>;
}

/** `kmsKey`: id or ARN of the key that encrypts new secrets; absent means the key of the account for Secrets Manager. */
export function secretStore(prefix: string, kmsKey?: string): SecretStore {
  const client = new SecretsManagerClient({});

  const all = async (): Promise<PlainPasswordAccount[]> => {
    const users: string[] = [];
    for await (const { SecretList = [] } of paginateListSecrets({ client }, { Filters: [{ Key: 'name', Values: [prefix] }] }))
      for (const { Name = '' } of SecretList) if (Name.startsWith(prefix) && !Name.slice(prefix.length).includes('/')) users.push(Name.slice(prefix.length));
    const accounts: PlainPasswordAccount[] = [];
    for (const user of users.sort()) {
      const found = await findSecret(prefix + user);
      if (found !== undefined) accounts.push(accountIn(found, user, prefix + user));
    }
    return accounts;
  };

  const store = async ({ user, ...rules }: WrittenAccount) => {
    const SecretId = prefix + user;
    const SecretString = JSON.stringify(rules);
    const state = await client.send(new DescribeSecretCommand({ SecretId })).catch((error: unknown) => {
      if (error instanceof ResourceNotFoundException) return undefined;
      throw error;
    });
    if (!state) {
      await client.send(new CreateSecretCommand({ Name: SecretId, SecretString, KmsKeyId: kmsKey, Description: `FTPS account ${user}` }));
      return;
    }
    if (state.DeletedDate) await client.send(new RestoreSecretCommand({ SecretId }));
    await client.send(new PutSecretValueCommand({ SecretId, SecretString }));
  };

  return {
    where: `secrets ${prefix}*`,
    async find(user) {
      const found = await findSecret(prefix + user);
      if (found === undefined) return undefined;
      const read = accountIn(found, user, prefix + user);
      // One of AWS Transfer Family's is rewritten in the form of the accounts file, with what that form can say.
      return 'passwordHash' in (found as object) ? { user, ...(found as object) } : accountOf(read);
    },
    list: async () => (await all()).map((account) => ({ account, plain: account.plainPassword !== undefined })),
    everything: async () => (await all()).map(({ plainPassword: password, ...account }) => (password === undefined ? account : { ...account, password })),
    async put(accounts) {
      checkAccounts({ accounts });
      for (const account of accounts) await store(account);
    },
    async remove(user) {
      await client.send(new DeleteSecretCommand({ SecretId: prefix + user })); // it can be restored for 30 days
    },
  };
}
