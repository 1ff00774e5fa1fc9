/** `ftps import`: from another service to this one. */
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { TransferClient } from '@aws-sdk/client-transfer';
import { Command } from 'commander';
import { hashPassword } from '../../server/identity/password';
import { remark, say } from '../terminal/say';
import { transferAs2 } from '../transfer-family/as2';
import { codeOf } from '../transfer-family/as2-code';
import { type As2Plan, planAs2 } from '../transfer-family/as2-plan';
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
  readonly as2?: string;
}

export function importCommand(): Command {
  const command = new Command('import').description('Moves here from another service.');
  command
    .command('transfer-family')
    .description(
      'Reads servers and users of AWS Transfer Family and says what becomes of each. With --file or --prefix, writes the accounts, with their keys for SFTP, and prints the new passwords of those that have none, once. With --as2, writes agreements, connectors, profiles and certificates of AS2 as code of the app.',
    )
    .option('--server <id>', 'this server alone (default: all of the region)')
    .option('--file <file>', 'accounts file to write')
    .option('--prefix <prefix>', 'prefix of the secrets to write, as the stack prints it (AccountsPrefix)')
    .option('--kms-key <id>', 'key that encrypts a new secret')
    .option('--accept-policies', 'take users with a session policy too: their account sees its home and nothing else')
    .option('--passwords', 'give accounts with keys a password as well, for FTPS')
    .option('--replace', 'replace accounts that are there already')
    .option('--fips', 'hash with PBKDF2-HMAC-SHA-256 instead of scrypt')
    .option('--as2 <folder>', 'new folder for the certificates of AS2 partners, and for the code that names them')
    .option('--json', 'the plan as JSON')
    .action(importTransferFamily);
  return command;
}

async function importTransferFamily({ server, acceptPolicies, passwords, replace, fips, json, as2, ...store }: ImportFlags): Promise<void> {
  const client = new TransferClient({});
  const servers = await transferServers(client, server);
  const plans = servers.map((one) => planFor(one, { acceptPolicies }));
  const speaksAs2 = servers.filter((one) => one.server.Protocols?.includes('AS2')).map((one) => one.server.ServerId!);
  const ofAs2 = as2 !== undefined || speaksAs2.length > 0 ? planAs2(await transferAs2(client, speaksAs2)) : [];
  if (json) say(`${JSON.stringify(ofAs2.length > 0 ? [...plans, { as2: ofAs2 }] : plans, null, 2)}\n`);
  else remark(plans.length === 0 ? 'There are no servers of AWS Transfer Family in this region.\n' : plans.map(described).join('\n'));
  if (!json && ofAs2.length > 0) remark(ofAs2.map(describedAs2).join('\n'));
  if (as2 !== undefined) await writeAs2(ofAs2, as2);
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

/** A folder that is there already is somebody's. */
async function writeAs2(plans: readonly As2Plan[], folder: string): Promise<void> {
  const used = plans.filter(({ partners }) => partners.length > 0);
  if (used.length === 0) throw new UsageError('there is nothing of AS2 that could be written');
  await mkdir(folder).catch((error: NodeJS.ErrnoException) => {
    throw new UsageError(`${folder}: can't be made (${error.code}); name a new folder`);
  });
  for (const [index, plan] of used.entries()) {
    for (const [name, pem] of Object.entries(plan.certificates)) await writeFile(join(folder, name), pem);
    await writeFile(join(folder, index === 0 ? 'as2.ts' : `as2-${index + 1}.ts`), codeOf(plan, basename(folder)));
  }
  const several = used.length > 1 ? ' A service has one AS2 name: each file is for another service.' : '';
  remark(`${used.flatMap(({ partners }) => partners).length} agreements were written to ${folder}; run the app beside it.${several}\n`);
}

function describedAs2({ as2Id, partners, leftOut, advice }: As2Plan): string {
  return [
    as2Id === '' ? 'Connectors' : `AS2 as ${JSON.stringify(as2Id)}`,
    ...partners.map(
      ({ as2Id: theirs, account, home, partner }) =>
        `  ${theirs}  account ${account}${home === undefined ? '' : `, ${home}`}  ${partner['url'] ?? 'nothing is sent'}`,
    ),
    ...leftOut.map(({ what, reason }) => `  ${what}  left out: ${reason}`),
    ...advice.map((line) => `  - ${line}`),
    '',
  ].join('\n');
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
