/**
 * Infected files on the local disk: `<root>/.ftps-quarantine/<id>` and, beside it, `<id>.json` with what is known of it. It lies on
 * the file system of the homes, so that putting a file away, and releasing it, is a rename.
 */
import { constants } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { partsOf, QUARANTINE } from '../../virtual-path';
import { checkedId, quarantineId } from '../quarantine-id';
import type { Quarantine, Quarantined } from '../storage';
import { storageError } from './errors';
import { Folder } from './folder';

export class LocalQuarantine implements Quarantine {
  constructor(private readonly root: string) {}

  /** Takes a staged file. Its record is written first: a file without a record would be one that nobody can judge. */
  async add(staging: Folder, stagingName: string, facts: Omit<Quarantined, 'id' | 'at' | 'state'>): Promise<string> {
    const now = new Date();
    const record: Quarantined = { id: quarantineId(now), state: 'infected', at: now.toISOString(), ...facts };
    await mkdir(join(this.root, QUARANTINE), { recursive: true, mode: 0o700 }).catch(storageError);
    await this.inFolder(async (folder) => {
      const file = await folder.file(recordName(record.id), constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL);
      try {
        await file.writeFile(JSON.stringify(record)).catch(storageError);
        await file.sync();
      } finally {
        await file.close();
      }
      await folder.adoptNew(staging, stagingName, record.id);
      await folder.sync();
    });
    return record.id;
  }

  async list(): Promise<Quarantined[]> {
    const names = await readdir(join(this.root, QUARANTINE)).catch((error: NodeJS.ErrnoException) => (error.code === 'ENOENT' ? [] : storageError(error)));
    const ids = names.filter((name) => !name.endsWith('.json')).sort();
    return this.inFolder((folder) => Promise.all(ids.map((id) => readRecord(folder, id))));
  }

  find(id: string): Promise<Quarantined> {
    return this.inFolder((folder) => readRecord(folder, id));
  }

  async release(id: string): Promise<void> {
    await this.inFolder(async (folder) => {
      const { home, path } = await readRecord(folder, id);
      const parts = [...partsOf(home), ...partsOf(path)];
      const name = parts.pop()!;
      const target = await Folder.walk(this.root, parts);
      try {
        await target.adoptNew(folder, id, name);
        await target.sync();
      } finally {
        await target.close();
      }
      await folder.remove(recordName(id));
    });
  }

  async remove(id: string): Promise<void> {
    await this.inFolder(async (folder) => {
      await readRecord(folder, id);
      await folder.remove(id);
      await folder.remove(recordName(id));
    });
  }

  private async inFolder<T>(use: (folder: Folder) => Promise<T>): Promise<T> {
    const folder = await Folder.walk(this.root, [QUARANTINE]);
    try {
      return await use(folder);
    } finally {
      await folder.close();
    }
  }
}

const recordName = (id: string) => `${id}.json`;

async function readRecord(folder: Folder, id: string): Promise<Quarantined> {
  const file = await folder.file(recordName(checkedId(id)), constants.O_RDONLY);
  try {
    return JSON.parse(await file.readFile('utf8')) as Quarantined;
  } finally {
    await file.close();
  }
}
