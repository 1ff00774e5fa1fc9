/** Accounts in AWS Secrets Manager: one secret per account, named prefix + user, in the form of the accounts file. */
import type { PasswordAccount, ServerConfig } from '../config';
import { passwordAccount } from '../config';
import { findSecret } from '../secrets/secret';
import type { Identity, Verdict } from './identity';
import { accountOf, checkCertificate, checkPassword } from './password-account';

type Options = Extract<ServerConfig['identity'][number], { kind: 'secrets' }>;

/** Names that Secrets Manager allows (API reference, CreateSecret); another can't be the name of an account here. */
const possibleName = /^[A-Za-z0-9/_+=.@-]{1,128}$/;
const MOST_CACHED = 10_000;

const source = 'secrets';

export function secretAccounts({ prefix, cacheSeconds, negativeCacheSeconds }: Options): Identity {
  const cache = new Map<string, { readonly account: PasswordAccount | undefined; readonly until: number }>();
  let likeHash: string | undefined;

  const find = async (user: string): Promise<PasswordAccount | undefined> => {
    if (!possibleName.test(user) || user.includes('/')) return undefined;
    const known = cache.get(user);
    if (known && known.until > Date.now()) return known.account;
    const value = await findSecret(prefix + user);
    const account = value === undefined ? undefined : passwordAccount.parse({ user, ...(value as object) });
    if (account && account.user !== user) throw new Error(`the secret of ${user} names another user`);
    likeHash = account?.passwordHash ?? likeHash;
    cache.delete(user);
    cache.set(user, { account, until: Date.now() + (account ? cacheSeconds : negativeCacheSeconds) * 1000 });
    if (cache.size > MOST_CACHED) for (const oldest of [...cache.keys()].slice(0, cache.size - MOST_CACHED)) cache.delete(oldest);
    return account;
  };

  const ask = async (user: string, decide: (account: PasswordAccount | undefined) => Verdict | Promise<Verdict>): Promise<Verdict> => {
    let account: PasswordAccount | undefined;
    try {
      account = await find(user);
    } catch (error) {
      return { kind: 'unavailable', reason: (error as Error).name === 'ZodError' ? `the secret of ${user} is no account` : (error as Error).message };
    }
    return decide(account);
  };

  return {
    nameOf: (login) => login,
    authenticate: (credentials) => ask(credentials.user, (account) => checkPassword(account, credentials, source, likeHash)),
    authenticateByCertificate: ({ user, certificate }) => ask(user, (found) => checkCertificate(found && accountOf(found), certificate, source)),
    close: async () => {},
  };
}
