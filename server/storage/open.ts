/** The storage that the configuration names. */
import type { ServerConfig } from '../config';
import { localStorage } from './local/storage';
import { s3Storage } from './s3/storage';
import type { Storage } from './storage';
import { LocalCounts, type UsageCounts } from './usage';

/** Opens it. `counts` is where quotas are counted; by default in this process. */
export function openStorage({ storage, antivirus }: Pick<ServerConfig, 'storage' | 'antivirus'>, counts: UsageCounts = new LocalCounts()): Storage {
  return storage.kind === 'local' ? localStorage(storage, counts) : s3Storage(storage, { scanned: antivirus.kind !== 'off', counts });
}
