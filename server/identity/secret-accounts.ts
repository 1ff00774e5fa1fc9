/** Accounts in AWS Secrets Manager: one secret per account, named prefix + user, in the form of the accounts file or of AWS Transfer Family. */
import { ZodError } from 'zod';
import { describeIssue, passwordAccount, type ServerConfig } from '../config';
import { findSecret } from '../secrets/secret';
import { HashCosts } from './hash-costs';
import type { PasswordChecks } from './hashing/checks';
import type { Identity, Verdict } from './identity';
import { hashProblem } from './password';
import { accountOf, checkCertificate, checkKey, checkPassword, checkVouchedRecord, recordOf } from './password-account';
import { RecentTimes } from './recent-times';
import { checkToken } from './token';
import { fromTransferFamily, isTransferFamily, type PlainPasswordAccount } from './transfer-family';

type Options = Extract<ServerConfig['identity'][number], { kind: 'secrets' }>;

/** Names that Secrets Manager allows (API reference, CreateSecret); another can't be the name of an account here. */
const possibleName = /^[A-Za-z0-9/_+=.@-]{1,128}$/;
const MOST_CACHED = 10_000;

const source = 'secrets';

export function secretAccounts({ prefix, cacheSeconds, negativeCacheSeconds }: Options, passwords: PasswordChecks): Identity {
  const cache = new Map<string, { readonly account: PlainPasswordAccount | undefined; readonly until: number }>();
  const costs = new HashCosts();
  /** A refusal takes as long as asking takes, also where nobody was asked: names that are there are remembered for longer than those that aren't. */
  const times = new RecentTimes();

  /** Reads that are under way: many sessions of one account begin at the same time. */
  const reading = new Map<string, Promise<PlainPasswordAccount | undefined>>();

  const isPossible = (user: string) => possibleName.test(user) && !user.includes('/');
  const remembered = (user: string) => {
    const known = cache.get(user);
    return known && known.until > Date.now() ? known : undefined;
  };

  const find = async (user: string): Promise<PlainPasswordAccount | undefined> => {
    if (!isPossible(user)) return undefined;
    const known = remembered(user);
    if (known) return known.account;
    const running = reading.get(user) ?? times.measure(() => readAccount(prefix + user, user)).finally(() => reading.delete(user));
    reading.set(user, running);
    const account = await running;
    costs.add(account?.passwordHash);
    cache.delete(user);
    cache.set(user, { account, until: Date.now() + (account ? cacheSeconds : negativeCacheSeconds) * 1000 });
    if (cache.size > MOST_CACHED) for (const oldest of [...cache.keys()].slice(0, cache.size - MOST_CACHED)) cache.delete(oldest);
    return account;
  };

  const ask = async (user: string, decide: (account: PlainPasswordAccount | undefined) => Verdict | Promise<Verdict>): Promise<Verdict> => {
    const wasAsked = isPossible(user) && !remembered(user);
    let account: PlainPasswordAccount | undefined;
    try {
      account = await find(user);
    } catch (error) {
      return { kind: 'unavailable', reason: (error as Error).message };
    }
    const verdict = await decide(account);
    if (verdict.kind === 'refused' && !wasAsked) await times.pretend();
    return verdict;
  };

  return {
    nameOf: (login) => login,
    authenticate: (credentials) => ask(credentials.user, (account) => checkPassword(account, credentials, { passwords, costs, source })),
    authenticateByCertificate: ({ user, certificate }) => ask(user, (found) => checkCertificate(found && accountOf(found), certificate, source)),
    authenticateByKey: (credentials) => ask(credentials.user, (found) => checkKey(found && accountOf(found), credentials, source)),
    authenticateByToken: (credentials) => ask(credentials.token.user, (found) => checkToken(found, credentials, source)),
    authenticateVouched: ({ user, certificate }) => ask(user, (found) => checkVouchedRecord(found, certificate, source)),
    rulesOf: async (user) => {
      const found = await find(user);
      return found ? accountOf(found) : 'none';
    },
    async recordOf(user) {
      const found = await find(user);
      return found ? recordOf(found, source) : 'none';
    },
    close: async () => {},
  };
}

/** The account in a secret, undefined where there is none. Throws an Error that says what is wrong with it, without any value. */
async function readAccount(secretId: string, user: string): Promise<PlainPasswordAccount | undefined> {
  const value = await findSecret(secretId);
  return value === undefined ? undefined : accountIn(value, user, secretId);
}

export function accountIn(value: unknown, user: string, secretId: string): PlainPasswordAccount {
  try {
    if (isTransferFamily(value)) return fromTransferFamily(user, value);
    const account = passwordAccount.parse({ user, ...(value as object) });
    if (account.user !== user) throw new Error('user: is another than the name of the secret');
    const problem = account.passwordHash && hashProblem(account.passwordHash);
    if (problem) throw new Error(`passwordHash: ${problem}`);
    return account;
  } catch (error) {
    const words = error instanceof ZodError ? error.issues.flatMap(describeIssue).map(({ key, message }) => `${key}: ${message}`) : [(error as Error).message];
    throw new Error(`the secret ${secretId} is no account (${words.join('; ')})`);
  }
}
