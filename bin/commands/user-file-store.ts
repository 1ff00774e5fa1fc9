/** Accounts in the JSON file that a server watches. It is replaced whole, so that the server never reads half of it. */
import { chmod, chown, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { checkAccounts } from '../../server/identity/file-accounts';
import type { AccountStore, WrittenAccount } from './account-store';

/** Readable for the group of the server and nobody else. */
const NEW_FILE_MODE = 0o640;

export function fileStore(file: string): AccountStore {
  return {
    where: file,
    find: async (user) => (await read(file)).find((account) => account.user === user),
    list: async () => [...checkAccounts({ accounts: await read(file) }).values()].map((account) => ({ account, plain: false })),
    put: (accounts) =>
      change(file, (before) => [
        ...before.map((one) => accounts.find(({ user }) => user === one.user) ?? one),
        ...accounts.filter(({ user }) => !before.some((one) => one.user === user)),
      ]),
    remove: (user) => change(file, (before) => before.filter((account) => account.user !== user)),
  };
}

async function read(file: string): Promise<WrittenAccount[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new Error(`${file}: can't be read (${error.code})`);
  });
  if (text === undefined) return [];
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw new Error(`${file}: is no JSON`); // without the words of JSON.parse, which quote the text
  }
  checkAccounts(content);
  return (content as { accounts: WrittenAccount[] }).accounts;
}

/** One change at a time; a second `ftps user` is told to wait. */
async function change(file: string, edit: (accounts: readonly WrittenAccount[]) => WrittenAccount[]): Promise<void> {
  const lock = `${file}.lock`;
  const held = await open(lock, 'wx').catch((error: NodeJS.ErrnoException) => {
    throw new Error(
      error.code === 'EEXIST' ? `${file} is being changed by another command; if none runs, remove ${lock}` : `${lock}: can't be made (${error.code})`,
    );
  });
  try {
    const content = { accounts: edit(await read(file)) };
    checkAccounts(content);
    await replace(file, `${JSON.stringify(content, undefined, 2)}\n`);
  } finally {
    await held.close();
    await rm(lock);
  }
}

async function replace(file: string, text: string): Promise<void> {
  const before = await stat(file).catch(() => undefined);
  const fresh = `${file}.new`;
  const handle = await open(fresh, 'w', NEW_FILE_MODE);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  if (before) {
    await chown(fresh, before.uid, before.gid);
    await chmod(fresh, before.mode & 0o7777);
  }
  await rename(fresh, file);
  const folder = await open(dirname(file), 'r');
  await folder.sync();
  await folder.close();
}
