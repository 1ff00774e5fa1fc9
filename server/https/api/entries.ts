/** Entries of folders as the API has them. */
import { posix } from 'node:path';
import type { z } from 'zod';
import type { Entry } from '../../files/account-files';
import { etagOf } from './conditions';
import type { entry as entrySchema } from './schemas';

export type EntryJson = z.output<typeof entrySchema>;

export function entryJson(path: string, entry: Entry): EntryJson {
  return {
    path,
    name: path === '/' ? '/' : posix.basename(path),
    type: entry.type,
    size: entry.type === 'file' ? entry.size : 0,
    modified: entry.modified.toISOString(),
    ...(entry.type === 'file' ? { etag: etagOf(entry) } : {}),
  };
}
