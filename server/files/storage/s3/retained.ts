/** Notes of accounts with a retention: objects below `.ftps-retention/`. */
import { noteName, noteOf, readNote } from '../retained';
import type { RetainedAccount, RetainedAccounts } from '../storage';
import type { Bucket } from './bucket';
import { isMissing, storageError } from './errors';

export class S3Retained implements RetainedAccounts {
  constructor(
    private readonly bucket: Bucket,
    /** Ends with a slash. */
    private readonly prefix: string,
  ) {}

  async keep(account: RetainedAccount): Promise<void> {
    await this.bucket.put(this.prefix + noteName(account.user), noteOf(account)).catch(storageError);
  }

  async forget(user: string): Promise<void> {
    await this.bucket.remove(this.prefix + noteName(user)).catch(storageError);
  }

  async *all(): AsyncIterable<RetainedAccount> {
    try {
      for await (const { objects } of this.bucket.list(this.prefix, { folders: false }))
        for (const { key } of objects) {
          const note = readNote(await this.text(key));
          if (note) yield note;
        }
    } catch (error) {
      storageError(error);
    }
  }

  private async text(key: string): Promise<string> {
    try {
      return (await this.bucket.text(key)).text;
    } catch (error) {
      if (isMissing(error)) return ''; // forgotten meanwhile
      throw error;
    }
  }
}
