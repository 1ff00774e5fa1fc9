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
  readonly fips?: boolean;
  readonly json?: boolean;
}

export function importCommand(): Command {
  const command = new Command('import').description('Moves here from another service.');
  command
    .command('transfer-family')
    .description(
      'Reads servers and users of AWS Transfer Family and says what becomes of each. With --file or --prefix, writes the accounts and prints their new passwords, once.',
    )
    .option('--server <id>', 'this server alone (default: all of the region)')
    .option('--file <file>', 'accounts file to write')
    .option('--prefix <prefix>', 'prefix of the secrets to write, as the stack prints it (AccountsPrefix)')
    .option('--kms-key <id>', 'key that encrypts a new secret')
    .option('--accept-policies', 'take users with a session policy too: their account sees its home and nothing else')
    .option('--replace', 'replace accounts that are there already')
    .option('--fips', 'hash with PBKDF2-HMAC-SHA-256 instead of scrypt')
    .option('--json', 'the plan as JSON')
    .action(importTransferFamily);
  return command;
}

async function importTransferFamily({ server, acceptPolicies, replace, fips, json, ...store }: ImportFlags): Promise<void> {
  const plans = (await transferServers(new TransferClient({}), server)).map((one) => planFor(one, { acceptPolicies }));
  if (json) say(`${JSON.stringify(plans, null, 2)}\n`);
  else remark(plans.length === 0 ? 'There are no servers of AWS Transfer Family in this region.\n' : plans.map(described).join('\n'));
  if (store.file === undefined && store.prefix === undefined) return;
  if (json) throw new UsageError('--json prints the plan; leave it out to write accounts');
  await write(plans, store, { replace, fips });
}

/** All or nothing is checked before anything is written. */
async function write(plans: readonly Plan[], flags: StoreFlags, { replace = false, fips = false }): Promise<void> {
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
    const password = generatePassword();
    made.push({ password, account: { ...account, passwordHash: await hashPassword(password, { fips }) } });
  }
  await store.put(made.map(({ account }) => account));
  say(`user,password\n${made.map(({ account, password }) => `${account.user},${password}\n`).join('')}`);
  remark(`${made.length} accounts were written to ${store.where}. Their passwords were printed once; give them out safely.\n`);
}

function described({ id, description, accounts, leftOut, advice }: Plan): string {
  return [
    `${id}  ${description}`,
    ...accounts.map(({ user, home }) => `  ${user}  ${home}`),
    ...leftOut.map(({ user, reason }) => `  ${user}  left out: ${reason}`),
    ...advice.map((line) => `  - ${line}`),
    '',
  ].join('\n');
}
