/** Notes of accounts with a retention: `<root>/.ftps-retention/<name>.json`. */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RETENTION } from '../../virtual-path';
import { noteName, noteOf, readNote } from '../retained';
import type { RetainedAccount, RetainedAccounts } from '../storage';
import { storageError } from './errors';

export class LocalRetained implements RetainedAccounts {
  private readonly folder: string;

  constructor(root: string) {
    this.folder = join(root, RETENTION);
  }

  async keep(account: RetainedAccount): Promise<void> {
    const path = join(this.folder, noteName(account.user));
    const unfinished = `${path}.${process.pid}`;
    await mkdir(this.folder, { recursive: true, mode: 0o700 }).catch(storageError);
    await writeFile(unfinished, noteOf(account), { mode: 0o600 }).catch(storageError);
    await rename(unfinished, path).catch(storageError);
  }

  async forget(user: string): Promise<void> {
    await rm(join(this.folder, noteName(user)), { force: true }).catch(storageError);
  }

  async *all(): AsyncIterable<RetainedAccount> {
    const names = await readdir(this.folder).catch((error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? [] : storageError(error)));
    for (const name of names.filter((one) => one.endsWith('.json'))) {
      const note = readNote(await readFile(join(this.folder, name), 'utf8').catch(() => '')); // forgotten meanwhile
      if (note) yield note;
    }
  }
}
