/** Names of files in quarantine: the time, so that they sort by age, and something random. */
import { randomBytes } from 'node:crypto';
import { StorageError } from './storage';

export function quarantineId(at: Date): string {
  return `${at.toISOString().replace(/[-:.]/g, '')}-${randomBytes(4).toString('hex')}`;
}

/** The id as it is, where it can be one; throws a StorageError where it can't, so that no path is ever made of it. */
export function checkedId(id: string): string {
  if (/^\d{8}T\d{9}Z-[0-9a-f]{8}$/.test(id)) return id;
  throw new StorageError('not-found', `There is no ${JSON.stringify(id)} in quarantine; list shows what there is.`);
}
