/** `ftps user`: accounts in a file or in AWS Secrets Manager, and hashes for either. */
import { Command, Option } from 'commander';
import type { Permission } from '../../server/config';
import { hashPassword } from '../../server/identity/password';
import { passwordProblems } from '../../server/identity/password-rules';
import { printable } from '../../server/text/printable';
import { bar, ProgressLine } from '../terminal/progress';
import { remark, say } from '../terminal/say';
import type { WrittenAccount } from './account-store';
import { readConfig } from './config';
import { exitCodes, UsageError } from './exit';
import { readPassword } from './read-password';
import { readImport } from './user-import';
import { addKeyCommands } from './user-keys';
import { askForPassword, generatePassword } from './user-passwords';
import { secretStore } from './user-secret-store';
import { openStore, type StoreFlags, withStore } from './user-store';
import { addTotpCommands } from './user-totp';
import { describeVerdict, tryLogin, verdictFacts } from './user-try';

interface PasswordFlags {
  readonly generate?: boolean;
  readonly fips?: boolean;
}

interface RuleFlags {
  readonly home?: string;
  readonly permissions?: string;
  readonly network?: string[];
  readonly certificateName?: string;
  readonly certificateSha256?: string;
  readonly certificateAlone?: boolean;
}

export function userCommand(): Command {
  const user = new Command('user').description('Accounts and their passwords, in a file or in AWS Secrets Manager.');
  const withPassword = (command: Command) =>
    command.option('--generate', 'make a password and print it, once').option('--fips', 'hash with PBKDF2-HMAC-SHA-256 instead of scrypt');

  withPassword(withStore(user.command('add <name>')))
    .description('Adds an account. Asks for its password, without echo, or takes the first line of standard input.')
    .option('--home <folder>', 'its folder below the storage root (default: / and its name)')
    .addOption(new Option('--permissions <list>', 'read,write,list,delete,rename,mkdir (default: all of them)'))
    .option('--network <cidr...>', 'client networks that it may come from (default: any)')
    .option('--certificate-name <name>', 'a client certificate with this common name is needed as well')
    .option('--certificate-sha256 <hex>', 'a client certificate with this fingerprint is needed as well')
    .option('--certificate-alone', 'the certificate is enough; there is no password')
    .action(async (name: string, flags: StoreFlags & PasswordFlags & RuleFlags) => {
      const store = await openStore(flags);
      if (await store.find(name)) throw new UsageError(`${name} is there already, in ${store.where}; \`ftps user passwd ${name}\` changes its password`);
      const account = accountFrom(name, flags);
      const { told, ...hash } = account.clientCertificate === 'instead-of-password' ? { told: () => {} } : await newPassword(name, flags);
      await store.put([{ ...account, ...hash }]);
      told();
      remark(`${name} was added to ${store.where}\n`);
    });

  withPassword(withStore(user.command('passwd <name>')))
    .description('Gives an account another password. Sessions that are logged in go on.')
    .action(async (name: string, flags: StoreFlags & PasswordFlags) => {
      const store = await openStore(flags);
      const account = await existing(store, name);
      const { told, passwordHash } = await newPassword(name, flags);
      await store.put([{ ...account, passwordHash }]);
      told();
      remark(`${name} has another password, in ${store.where}\n`);
    });

  for (const [command, enabled] of [
    ['disable', false],
    ['enable', true],
  ] as const)
    withStore(user.command(`${command} <name>`))
      .description(enabled ? 'Lets a disabled account log in again.' : 'Refuses further logins of an account, and keeps it.')
      .action(async (name: string, flags: StoreFlags) => {
        const store = await openStore(flags);
        await store.put([{ ...(await existing(store, name)), enabled }]);
        remark(`${name} is ${command}d, in ${store.where}\n`);
      });

  withStore(user.command('remove <name>'))
    .description('Removes an account; its files stay. A secret can be restored for 30 days.')
    .action(async (name: string, flags: StoreFlags) => {
      const store = await openStore(flags);
      await existing(store, name);
      await store.remove(name);
      remark(`${name} was removed from ${store.where}\n`);
    });

  withStore(user.command('list'))
    .description('Lists accounts, without their hashes.')
    .option('--json', 'one JSON object a line')
    .action(async ({ json, ...flags }: StoreFlags & { json?: boolean }) => {
      for (const { account, plain } of await (await openStore(flags)).list()) {
        const { user: name, home, enabled, permissions, clientCertificate, allowedNetworks } = account;
        const facts = { user: name, enabled, home, permissions, clientCertificate, allowedNetworks, passwordIsHashed: !plain };
        say(json ? `${JSON.stringify(facts)}\n` : `${printable(line(facts))}\n`);
      }
    });

  addKeyCommands(user);
  addTotpCommands(user);

  withStore(user.command('import [input]'))
    .description('Adds many accounts: from JSON or CSV with a first line such as user,password,home, or from the secrets of AWS Transfer Family.')
    .option('--from-prefix <prefix>', 'take the accounts of these secrets; passwords kept there unhashed are hashed')
    .option('--replace', 'replace accounts that are there already')
    .option('--accept-weak', 'take passwords that a new account could not have')
    .option('--fips', 'hash with PBKDF2-HMAC-SHA-256 instead of scrypt')
    .action(async (input: string | undefined, flags: StoreFlags & ImportFlags) => importAccounts(input, flags));

  user
    .command('try <name>')
    .description(
      'Asks for a password and says how the server would answer this login, and why. Exit code 3 where it would refuse. It counts as an attempt in a directory.',
    )
    .requiredOption('--config <file>', "the server's configuration")
    .option('--json', 'print JSON')
    .action(async (name: string, { config, json }: { config: string; json?: boolean }) => {
      const verdict = await tryLogin(await readConfig(config), name, await readPassword(`Password of ${name}: `), (line) => remark(`${printable(line)}\n`));
      say(`${json ? JSON.stringify(verdictFacts(verdict)) : printable(describeVerdict(verdict))}\n`);
      if (verdict.kind !== 'accepted') process.exitCode = verdict.kind === 'refused' ? exitCodes.notInOrder : exitCodes.failed;
    });

  user
    .command('hash')
    .description('Asks for a password, without echo, and prints its hash for an accounts file; or takes the first line of standard input.')
    .option('--fips', 'use PBKDF2-HMAC-SHA-256 instead of scrypt')
    .action(async ({ fips }: { fips?: boolean }) => {
      const password = await readPassword('Password: ');
      if (password === '') throw new UsageError('the password is empty');
      say(`${await hashPassword(password, { fips })}\n`);
    });
  return user;
}

interface ImportFlags {
  readonly fromPrefix?: string;
  readonly replace?: boolean;
  readonly acceptWeak?: boolean;
  readonly fips?: boolean;
}

/** All or nothing is checked before anything is written. */
async function importAccounts(input: string | undefined, { fromPrefix, replace, acceptWeak, fips, ...flags }: StoreFlags & ImportFlags): Promise<void> {
  if ((input === undefined) === (fromPrefix === undefined)) throw new UsageError('say what to import: a file, or --from-prefix');
  const store = await openStore(flags);
  const accounts = input === undefined ? await secretStore(fromPrefix!).everything() : await readImport(input);
  const known = new Set((await store.list()).map(({ account }) => account.user));
  const taken = accounts.filter(({ user }) => known.has(user));
  if (taken.length > 0 && !replace)
    throw new UsageError(`${taken.map(({ user }) => user).join(', ')}: there already, in ${store.where}; --replace replaces them`);
  const weak = accounts.flatMap(({ user, password }) =>
    password === undefined ? [] : passwordProblems(password, user).map((problem) => `${user}: ${problem}`),
  );
  if (weak.length > 0 && !acceptWeak)
    throw new UsageError(`these passwords could not be given to a new account; --accept-weak takes them:\n${weak.join('\n')}`);
  const hashed: WrittenAccount[] = [];
  const progress = new ProgressLine();
  for (const { password, ...account } of accounts) {
    progress.show(() => `${bar(hashed.length, accounts.length)}  hashing the passwords of ${accounts.length} accounts`);
    hashed.push(password === undefined ? account : { ...account, passwordHash: await hashPassword(password, { fips }) });
  }
  progress.clear();
  await store.put(hashed);
  remark(`${hashed.length} accounts were written to ${store.where}\n`);
}

function accountFrom(user: string, flags: RuleFlags): WrittenAccount {
  const certificates = [
    ...(flags.certificateName === undefined ? [] : [{ kind: 'subject' as const, commonName: flags.certificateName }]),
    ...(flags.certificateSha256 === undefined ? [] : [{ kind: 'fingerprint' as const, sha256: flags.certificateSha256 }]),
  ];
  if (flags.certificateAlone && certificates.length === 0) throw new UsageError('--certificate-alone needs --certificate-name or --certificate-sha256');
  return {
    user,
    home: flags.home ?? `/${user}`,
    ...(flags.permissions === undefined ? {} : { permissions: flags.permissions.split(',') as Permission[] }), // checked when it is stored
    ...(flags.network === undefined ? {} : { allowedNetworks: flags.network }),
    ...(certificates.length === 0 ? {} : { clientCertificate: flags.certificateAlone ? 'instead-of-password' : 'required', certificates }),
  };
}

async function existing(store: Awaited<ReturnType<typeof openStore>>, name: string): Promise<WrittenAccount> {
  const account = await store.find(name);
  if (!account) throw new UsageError(`${name} is not in ${store.where}`);
  return account;
}

/** One that is made is told once the account has it: printed before, it would be taken for one that counts where the account can't be written. */
async function newPassword(user: string, { generate, fips }: PasswordFlags): Promise<{ passwordHash: string; told: () => void }> {
  const password = generate ? generatePassword() : await askForPassword(user);
  return { passwordHash: await hashPassword(password, { fips }), told: () => generate && say(`${password}\n`) };
}

function line({ user, enabled, home, permissions, clientCertificate, allowedNetworks, passwordIsHashed }: Record<string, unknown>): string {
  const notes = [
    ...(enabled ? [] : ['disabled']),
    ...(clientCertificate === 'no' ? [] : [`certificate ${String(clientCertificate)}`]),
    ...((allowedNetworks as string[]).length === 0 ? [] : [`from ${(allowedNetworks as string[]).join(' ')}`]),
    ...(passwordIsHashed ? [] : ['password is not hashed']),
  ];
  return `${String(user).padEnd(24)} ${String(home).padEnd(32)} ${(permissions as string[]).join(',')}${notes.length > 0 ? `  (${notes.join('; ')})` : ''}`;
}
