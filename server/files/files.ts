/** The files of every account: the door to one account's. */
import type { AccountFiles, Asker } from './account-files';
import { OneAccount } from './one-account';
import type { FilesParts } from './parts';
import type { Notes, Prepared, Stretches } from './storage/storage';

export type { Notes, Prepared, Stretches } from './storage/storage';

export class Files {
  constructor(private readonly parts: FilesParts) {}

  /** What all instances share beside the files. */
  get notes(): Notes {
    return this.parts.storage.notes;
  }

  /** The same, of what is long. */
  get stretches(): Stretches {
    return this.parts.storage.stretches;
  }

  /** Uploads that were about to appear, of whichever process. */
  get prepared(): Prepared {
    return this.parts.storage.prepared;
  }

  /** Opens an account's files at its login. Throws a StorageError where the storage can't. */
  async open(asker: Asker): Promise<AccountFiles> {
    return new OneAccount(this.parts, asker, await this.parts.storage.open(asker.account));
  }
}
