/** `ftps user key`: the public keys that an account may log in with over SSH. */
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { Command } from 'commander';
import { publicKey } from '../../server/config';
import { printable } from '../../server/text/printable';
import { remark, say } from '../terminal/say';
import type { AccountStore, WrittenAccount } from './account-store';
import { UsageError } from './exit';
import { openStore, type StoreFlags, withStore } from './user-store';

export function addKeyCommands(user: Command): void {
  const key = user.command('key').description('Public keys for SFTP: one account may have several.');

  withStore(key.command('add <name> <key>'))
    .description('Lets a key log in: a .pub file, or its line.')
    .action(async (name: string, text: string, flags: StoreFlags) => {
      const store = await openStore(flags);
      const account = await existing(store, name);
      const lines = await linesOf(text);
      const known = new Set((account.publicKeys ?? []).map(fingerprintOf));
      const fresh = lines.filter((line) => !known.has(fingerprintOf(line)));
      if (fresh.length === 0) throw new UsageError(`${name} has that key already, in ${store.where}`);
      await store.put([{ ...account, publicKeys: [...(account.publicKeys ?? []), ...fresh] }]);
      for (const line of fresh) remark(`${name} may log in with ${fingerprintOf(line)}, in ${store.where}\n`);
    });

  withStore(key.command('list <name>'))
    .description('Lists the keys of an account: fingerprint, kind and comment, as ssh-keygen prints them.')
    .option('--json', 'one JSON object a line')
    .action(async (name: string, { json, ...flags }: StoreFlags & { json?: boolean }) => {
      for (const line of (await existing(await openStore(flags), name)).publicKeys ?? []) {
        const [kind, , ...comment] = line.split(' ');
        const facts = { fingerprint: fingerprintOf(line), kind, comment: comment.join(' ') };
        say(json ? `${JSON.stringify(facts)}\n` : `${printable(`${facts.fingerprint}  ${kind}  ${facts.comment}`.trimEnd())}\n`);
      }
    });

  withStore(key.command('remove <name> <fingerprint>'))
    .description('Takes a key away; SHA256:… as the list has it, or its .pub file. Sessions that are logged in go on.')
    .action(async (name: string, which: string, flags: StoreFlags) => {
      const store = await openStore(flags);
      const account = await existing(store, name);
      const unwanted = which.startsWith('SHA256:') ? [which] : (await linesOf(which)).map(fingerprintOf);
      const left = (account.publicKeys ?? []).filter((line) => !unwanted.includes(fingerprintOf(line)));
      if (left.length === (account.publicKeys ?? []).length)
        throw new UsageError(`${name} has no such key, in ${store.where}; \`ftps user key list ${name}\` lists them`);
      await store.put([{ ...account, publicKeys: left }]);
      remark(`${name} has ${left.length} keys left, in ${store.where}\n`);
    });
}

/** The keys of a .pub file, or the line itself. */
async function linesOf(text: string): Promise<string[]> {
  const isLine = publicKey.safeParse(text.trim()).success;
  const content = isLine
    ? text
    : await readFile(text, 'utf8').catch((error: NodeJS.ErrnoException) => {
        throw new UsageError(`${text}: can't be read (${error.code}); name a .pub file, or write its line in quotes`);
      });
  const lines = content
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  for (const line of lines)
    if (!publicKey.safeParse(line).success)
      throw new UsageError(
        line.includes('PRIVATE KEY')
          ? `${text}: is a private key, which belongs to its owner alone; take the .pub file beside it`
          : `${text}: has a line that is no public key of Ed25519, ECDSA or RSA, as \`ssh-keygen\` writes it`,
      );
  if (lines.length === 0) throw new UsageError(`${text}: has no key`);
  return lines;
}

function fingerprintOf(line: string): string {
  const digest = createHash('sha256')
    .update(Buffer.from(line.split(' ', 2)[1]!, 'base64'))
    .digest('base64');
  return `SHA256:${digest.replace(/=+$/, '')}`;
}

async function existing(store: AccountStore, name: string): Promise<WrittenAccount> {
  const account = await store.find(name);
  if (!account) throw new UsageError(`${name} is not in ${store.where}`);
  return account;
}
