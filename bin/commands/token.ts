/** `ftps token`: what programs send instead of a password, over HTTPS. */
import { Command, Option } from 'commander';
import type { AccountToken } from '../../server/config';
import { publicHalfOf } from '../../server/identity/access-token';
import { digestOf, newToken, writeToken } from '../../server/identity/token';
import { printable } from '../../server/text/printable';
import { remark, say } from '../terminal/say';
import type { AccountStore, WrittenAccount } from './account-store';
import { UsageError } from './exit';
import { openStore, type StoreFlags, withStore } from './user-store';

const DAY_MS = 86_400_000;

interface CreateFlags extends StoreFlags {
  readonly name: string;
  readonly scope: readonly AccountToken['scopes'][number][];
  readonly folder: string;
  readonly network?: string[];
  readonly days: string;
  readonly neverExpires?: boolean;
}

export function tokenCommand(): Command {
  const token = new Command('token').description('Tokens of accounts for programs, over HTTPS, in a file or in AWS Secrets Manager.');

  withStore(token.command('create <user>'))
    .description('Makes a token of an account and prints it, once: nobody can read it again.')
    .requiredOption('--name <text>', 'what it is for')
    .addOption(new Option('--scope <scope...>', 'what it is good for').choices(['read', 'write']).default(['read']))
    .option('--folder <path>', 'the folder that it reaches, as the account names it', '/')
    .option('--network <cidr...>', 'client networks that it may come from (default: those of the account)')
    .option('--days <number>', 'how long it is good', '90')
    .option('--never-expires', 'it is good until it is revoked')
    .action(async (user: string, { name, scope, folder, network, days, neverExpires, ...flags }: CreateFlags) => {
      if (!neverExpires && !/^[1-9]\d{0,3}$/.test(days)) throw new UsageError(`--days: "${days}" is no number of days from 1 to 9999`);
      const store = await openStore(flags);
      const account = await existing(store, user);
      const fresh = newToken(user);
      const now = Date.now();
      const kept = {
        id: fresh.id,
        name,
        sha256: digestOf(fresh.secret),
        key: publicHalfOf(fresh.secret),
        scopes: [...new Set(scope)],
        folder,
        ...(network ? { networks: network } : {}),
        created: new Date(now).toISOString(),
        ...(neverExpires ? {} : { expires: new Date(now + Number(days) * DAY_MS).toISOString() }),
      };
      await store.put([{ ...account, tokens: [...(account.tokens ?? []), kept] }]);
      say(`${writeToken(fresh)}\n`);
      remark(`${user} has a token ${kept.id}, ${kept.expires ? `good until ${kept.expires.slice(0, 10)}` : 'good until it is revoked'}, in ${store.where}\n`);
    });

  withStore(token.command('list <user>'))
    .description('Lists the tokens of an account, without what they are known by.')
    .option('--json', 'one JSON object a line')
    .action(async (user: string, { json, ...flags }: StoreFlags & { json?: boolean }) => {
      for (const { sha256: _, key: _key, ...facts } of (await existing(await openStore(flags), user)).tokens ?? [])
        say(json ? `${JSON.stringify(facts)}\n` : `${printable(line(facts))}\n`);
    });

  withStore(token.command('revoke <user> <id>'))
    .description('Takes a token away, by the id that the list has. What it is doing goes on; its next request is refused.')
    .action(async (user: string, id: string, flags: StoreFlags) => {
      const store = await openStore(flags);
      const account = await existing(store, user);
      const left = (account.tokens ?? []).filter((one) => one.id !== id);
      if (left.length === (account.tokens ?? []).length)
        throw new UsageError(`${user} has no token ${id}, in ${store.where}; \`ftps token list ${user}\` lists them`);
      await store.put([{ ...account, tokens: left }]);
      remark(`${user} has ${left.length} tokens left, in ${store.where}\n`);
    });
  return token;
}

function line({ id, name, scopes, folder, networks, expires }: Partial<AccountToken> & Pick<AccountToken, 'id'>): string {
  const isOver = expires !== undefined && Date.parse(expires) <= Date.now();
  const notes = [
    scopes?.join(' and '),
    ...(folder === undefined || folder === '/' ? [] : [`in ${folder}`]),
    ...(networks && networks.length > 0 ? [`from ${networks.join(' ')}`] : []),
    expires === undefined ? 'does not expire' : `${isOver ? 'expired' : 'until'} ${expires.slice(0, 10)}`,
  ];
  return `${id}  ${name ?? ''}  (${notes.join('; ')})`;
}

async function existing(store: AccountStore, user: string): Promise<WrittenAccount> {
  const account = await store.find(user);
  if (!account) throw new UsageError(`${user} is not in ${store.where}; tokens are of accounts in a file or in Secrets Manager`);
  return account;
}
