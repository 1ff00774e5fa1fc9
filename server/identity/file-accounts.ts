/** Accounts in a JSON file, read again when it changes. A file with a mistake leaves the accounts as they were. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import type { Audit } from '../audit/event';
import { ConfigError, describeIssue, type PasswordAccount, passwordAccount } from '../config';
import { HashCosts } from './hash-costs';
import type { PasswordChecks } from './hashing/checks';
import type { Identity } from './identity';
import { hashProblem } from './password';
import { accountOf, checkCertificate, checkKey, checkPassword, checkVouchedRecord, recordOf } from './password-account';
import { checkToken } from './token';
import { watchFile } from './watch-file';

const accountsFile = z.strictObject({ accounts: z.array(passwordAccount) }).superRefine(({ accounts }, context) => {
  const seen = new Set<string>();
  accounts.forEach(({ user, passwordHash, clientCertificate, publicKeys, sshLogin, sshCertificates, tokens }, index) => {
    const hasKeys = publicKeys?.length || sshCertificates !== undefined;
    if (seen.has(user))
      context.addIssue({ code: 'custom', path: ['accounts', index, 'user'], message: `"${user}" is there twice; give each account its own name` });
    seen.add(user);
    const problem = passwordHash && hashProblem(passwordHash);
    if (problem) context.addIssue({ code: 'custom', path: ['accounts', index, 'passwordHash'], message: problem });
    if (!hasKeys && sshLogin !== undefined && sshLogin !== 'password-or-key')
      context.addIssue({
        code: 'custom',
        path: ['accounts', index, 'publicKeys'],
        message: `is missing; sshLogin is "${sshLogin}", so add a key, or sshCertificates for those of an authority`,
      });
    if (!passwordHash && clientCertificate !== 'instead-of-password' && !hasKeys && !tokens?.length)
      context.addIssue({
        code: 'custom',
        path: ['accounts', index, 'passwordHash'],
        message:
          'is missing; put in what `ftps user hash` prints, or let clientCertificate be "instead-of-password", or add publicKeys, sshCertificates or tokens',
      });
  });
});

/** Reads and checks an accounts file. Throws an Error or a ConfigError that says what is wrong in it. */
export async function readAccounts(file: string): Promise<Map<string, PasswordAccount>> {
  let content: unknown;
  try {
    content = JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    // The words of JSON.parse quote the text, which may be a hash.
    throw new Error(error instanceof SyntaxError ? `${file}: is no JSON` : `${file}: can't be read (${(error as NodeJS.ErrnoException).code})`);
  }
  return checkAccounts(content);
}

/** The accounts of a file's content by name. Throws a ConfigError that says what is wrong with it. */
export function checkAccounts(content: unknown): Map<string, PasswordAccount> {
  const parsed = accountsFile.safeParse(content);
  if (!parsed.success) throw new ConfigError(parsed.error.issues.flatMap(describeIssue));
  return new Map(parsed.data.accounts.map((account) => [account.user, account]));
}

/** Opens the file; throws where it has a mistake. Later mistakes are reported to the audit instead. */
export async function fileAccounts(file: string, audit: Audit, passwords: PasswordChecks): Promise<Identity> {
  let accounts = await readAccounts(file);
  let costs = costsOf(accounts);
  const reload = async () => {
    try {
      accounts = await readAccounts(file);
      costs = costsOf(accounts);
      audit.record({ kind: 'configuration', change: 'reloaded', what: 'accounts', detail: `${accounts.size} accounts` });
    } catch (error) {
      audit.record({ kind: 'configuration', change: 'refused', what: 'accounts', detail: (error as Error).message });
    }
  };
  const watcher = watchFile(file, reload);
  const source = 'file';
  const accountNamed = (user: string) => {
    const found = accounts.get(user);
    return found && accountOf(found);
  };
  return {
    nameOf: (login) => login,
    authenticate: (credentials) => checkPassword(accounts.get(credentials.user), credentials, { passwords, costs, source }),
    authenticateByCertificate: async ({ user, certificate }) => checkCertificate(accountNamed(user), certificate, source),
    authenticateByKey: async (credentials) => checkKey(accountNamed(credentials.user), credentials, source),
    authenticateByToken: async (credentials) => checkToken(accounts.get(credentials.token.user), credentials, source),
    authenticateVouched: async ({ user, certificate }) => checkVouchedRecord(accounts.get(user), certificate, source),
    rulesOf: async (user) => accountNamed(user) ?? 'none',
    async recordOf(user) {
      const found = accounts.get(user);
      return found ? recordOf(found, source) : 'none';
    },
    close: async () => watcher.close(),
  };
}

function costsOf(accounts: ReadonlyMap<string, PasswordAccount>): HashCosts {
  return new HashCosts([...accounts.values()].map(({ passwordHash }) => passwordHash));
}
