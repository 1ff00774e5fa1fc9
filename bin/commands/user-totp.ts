/** `ftps user totp`: a code from an authenticator app, beside the password. */
import { type Command, Option } from 'commander';
import { newTotpSecret, totpUri } from '../../server/identity/totp';
import { remark, say } from '../terminal/say';
import type { AccountStore, WrittenAccount } from './account-store';
import { UsageError } from './exit';
import { openStore, type StoreFlags, withStore } from './user-store';

interface AddFlags extends StoreFlags {
  readonly host: string;
  readonly without?: ('ftps' | 'ssh')[];
  readonly replace?: boolean;
}

export function addTotpCommands(user: Command): void {
  const totp = user.command('totp').description('Codes of an authenticator app (TOTP, RFC 6238), asked for beside the password.');

  withStore(totp.command('add <name>'))
    .description('Has the account asked for a code from now on, and prints what the app is given, once: nobody can read it again.')
    .option('--host <name>', 'what the app calls it', 'ftps')
    .addOption(new Option('--without <protocol...>', 'where the password alone is enough, for clients that can not ask for a code').choices(['ftps', 'ssh']))
    .option('--replace', 'where it has a secret already: that one is worth nothing any more')
    .action(async (name: string, { host, without, replace, ...flags }: AddFlags) => {
      const store = await openStore(flags);
      const account = await existing(store, name);
      if (account.totp && !replace) throw new UsageError(`${name} is asked for codes already, in ${store.where}; --replace makes a new secret`);
      if (!account.passwordHash) throw new UsageError(`${name} has no password, in ${store.where}; a code is asked for beside one`);
      const secret = newTotpSecret();
      await store.put([{ ...account, totp: { secret, ...(without ? { without } : {}) } }]);
      say(`${totpUri(secret, name, host)}\n`);
      remark(`${name} is asked for a code beside the password, in ${store.where}\n`);
    });

  withStore(totp.command('remove <name>'))
    .description('Asks for no code any more; the password alone is enough.')
    .action(async (name: string, flags: StoreFlags) => {
      const store = await openStore(flags);
      const { totp: secret, ...account } = await existing(store, name);
      if (!secret) throw new UsageError(`${name} is asked for no code, in ${store.where}`);
      await store.put([account]);
      remark(`${name} needs the password alone, in ${store.where}\n`);
    });
}

async function existing(store: AccountStore, name: string): Promise<WrittenAccount> {
  const account = await store.find(name);
  if (!account) throw new UsageError(`${name} is not in ${store.where}; codes are of accounts in a file or in Secrets Manager`);
  return account;
}
