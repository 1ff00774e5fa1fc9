/** The storage that the configuration names. */
import type { ServerConfig } from '../config';
import { localStorage } from './local/storage';
import { s3Storage } from './s3/storage';
import type { Storage } from './storage';

export function openStorage({ storage, antivirus }: Pick<ServerConfig, 'storage' | 'antivirus'>): Storage {
  return storage.kind === 'local' ? localStorage(storage) : s3Storage(storage, { scanned: antivirus.kind !== 'off' });
}
