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
  UpdateSecretCommand,
} from '@aws-sdk/client-secrets-manager';
import { checkAccounts } from '../../server/identity/file-accounts';
import { accountOf } from '../../server/identity/password-account';
import { accountIn } from '../../server/identity/secret-accounts';
import type { PlainPasswordAccount } from '../../server/identity/transfer-family';
import { findSecret } from '../../server/secrets/secret';
import type { AccountStore, WrittenAccount } from './account-store';
import type { ImportedAccount } from './user-import';

export interface SecretStore extends AccountStore {
  /** Every account, with the passwords that are kept unhashed, for a move to another store. */
  everything(): Promise<ImportedAccount[]>;
}

/** `kmsKey`: id or ARN of the key that encrypts what is written; absent means the key of the account for Secrets Manager. */
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
    // Where the service was destroyed and made anew, its key is another: the account moves to it, since the old one is being deleted.
    if (kmsKey === undefined || sameKey(state.KmsKeyId, kmsKey)) await client.send(new PutSecretValueCommand({ SecretId, SecretString }));
    else await client.send(new UpdateSecretCommand({ SecretId, SecretString, KmsKeyId: kmsKey })).catch(keyIsGone(SecretId, state.KmsKeyId));
  };

  return {
    where: `secrets ${prefix}*`,
    async find(user) {
      const found = await findSecret(prefix + user).catch((error: Error) => {
        // What nobody can read any more is written anew, under the key that is there now.
        if (kmsKey !== undefined && ofKey(error.cause)) return undefined;
        throw error;
      });
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

/** A key by its id or its ARN, which ends in the id; an alias is looked up by nobody and counts as another key, which moves nothing that is there. */
function sameKey(present: string | undefined, asked: string): boolean {
  const id = (key = '') => key.split('/').at(-1);
  return id(present) === id(asked);
}

/** Secrets Manager reads what it moves to another key; under a key that is disabled or being deleted it can't. */
function keyIsGone(secret: string, key: string | undefined): (error: unknown) => never {
  return (error) => {
    if (!ofKey(error)) throw error;
    throw new Error(
      `secret ${secret}: its key ${key ?? '(that of the account)'} can't be used any more, so it can't be moved to the new one; remove it by aws secretsmanager delete-secret --force-delete-without-recovery --secret-id ${secret}, and add the account again`,
      { cause: error },
    );
  };
}

/** Whether a key is what an answer of Secrets Manager is about: disabled, being deleted, or not to be used by the caller. */
function ofKey(error: unknown): boolean {
  return error instanceof Error && /kms|decrypt|encrypt/i.test(`${error.name} ${error.message}`);
}
