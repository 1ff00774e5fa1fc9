/** The storage that the configuration names. */
import type { ServerConfig } from '../../config';
import type { SharedParts } from './accounting';
import { localStorage } from './local/storage';
import { s3Storage } from './s3/storage';
import type { Storage } from './storage';

/** Opens it, with what is shared between processes that serve it, and how many these are. */
export function openStorage({ storage, antivirus }: Pick<ServerConfig, 'storage' | 'antivirus'>, shared: SharedParts = {}, processes = 1): Storage {
  return storage.kind === 'local' ? localStorage(storage, shared) : s3Storage(storage, { ...shared, processes, scanned: antivirus.kind !== 'off' });
}
