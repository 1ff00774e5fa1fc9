/** `ftps import`: from another service to this one. */
import { TransferClient } from '@aws-sdk/client-transfer';
import { Command } from 'commander';
import { hashPassword } from '../../server/identity/password';
import { remark, say } from '../terminal/say';
import { type Plan, planFor } from '../transfer-family/plan';
import { transferServers } from '../transfer-family/servers';
import { UsageError } from './exit';
import { generatePassword } from './user-passwords';
import { openStore, type StoreFlags } from './user-store';

interface ImportFlags extends StoreFlags {
  readonly server?: string;
  readonly acceptPolicies?: boolean;
  readonly replace?: boolean;
  readonly passwords?: boolean;
  readonly fips?: boolean;
  readonly json?: boolean;
}

export function importCommand(): Command {
  const command = new Command('import').description('Moves here from another service.');
  command
    .command('transfer-family')
    .description(
      'Reads servers and users of AWS Transfer Family and says what becomes of each. With --file or --prefix, writes the accounts, with their keys for SFTP, and prints the new passwords of those that have none, once.',
    )
    .option('--server <id>', 'this server alone (default: all of the region)')
    .option('--file <file>', 'accounts file to write')
    .option('--prefix <prefix>', 'prefix of the secrets to write, as the stack prints it (AccountsPrefix)')
    .option('--kms-key <id>', 'key that encrypts a new secret')
    .option('--accept-policies', 'take users with a session policy too: their account sees its home and nothing else')
    .option('--passwords', 'give accounts with keys a password as well, for FTPS')
    .option('--replace', 'replace accounts that are there already')
    .option('--fips', 'hash with PBKDF2-HMAC-SHA-256 instead of scrypt')
    .option('--json', 'the plan as JSON')
    .action(importTransferFamily);
  return command;
}

async function importTransferFamily({ server, acceptPolicies, passwords, replace, fips, json, ...store }: ImportFlags): Promise<void> {
  const plans = (await transferServers(new TransferClient({}), server)).map((one) => planFor(one, { acceptPolicies }));
  if (json) say(`${JSON.stringify(plans, null, 2)}\n`);
  else remark(plans.length === 0 ? 'There are no servers of AWS Transfer Family in this region.\n' : plans.map(described).join('\n'));
  if (store.file === undefined && store.prefix === undefined) return;
  if (json) throw new UsageError('--json prints the plan; leave it out to write accounts');
  await write(plans, store, { passwords, replace, fips });
}

/** All or nothing is checked before anything is written. */
async function write(plans: readonly Plan[], flags: StoreFlags, { passwords = false, replace = false, fips = false }): Promise<void> {
  const accounts = plans.flatMap((plan) => plan.accounts);
  const twice = accounts.filter(({ user }, index) => accounts.findIndex((one) => one.user === user) !== index);
  if (twice.length > 0) throw new UsageError(`${twice.map(({ user }) => user).join(', ')}: in several servers; name one with --server`);
  const store = await openStore(flags);
  const known = new Set((await store.list()).map(({ account }) => account.user));
  const taken = accounts.filter(({ user }) => known.has(user));
  if (taken.length > 0 && !replace)
    throw new UsageError(`${taken.map(({ user }) => user).join(', ')}: there already, in ${store.where}; --replace replaces them`);
  const made = [];
  for (const account of accounts) {
    if (account.publicKeys && !passwords) {
      made.push({ account });
      continue;
    }
    const password = generatePassword();
    made.push({ password, account: { ...account, passwordHash: await hashPassword(password, { fips }) } });
  }
  await store.put(made.map(({ account }) => account));
  const lines = made.flatMap(({ account, password }) => (password === undefined ? [] : [`${account.user},${password}\n`]));
  if (lines.length > 0) say(`user,password\n${lines.join('')}`);
  const told = lines.length > 0 ? ` The ${lines.length} new passwords were printed once; give them out safely.` : '';
  remark(`${made.length} accounts were written to ${store.where}; ${made.length - lines.length} log in by their keys alone.${told}\n`);
}

function described({ id, description, accounts, leftOut, advice }: Plan): string {
  return [
    `${id}  ${description}`,
    ...accounts.map(
      ({ user, home, publicKeys }) => `  ${user}  ${home}${publicKeys ? `  ${publicKeys.length} ${publicKeys.length === 1 ? 'key' : 'keys'}` : ''}`,
    ),
    ...leftOut.map(({ user, reason }) => `  ${user}  left out: ${reason}`),
    ...advice.map((line) => `  - ${line}`),
    '',
  ].join('\n');
}
