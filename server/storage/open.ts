/** The storage that the configuration names. */
import type { ServerConfig } from '../config';
import { localStorage } from './local/storage';
import type { Storage } from './storage';

export function openStorage(config: ServerConfig['storage']): Storage {
  if (config.kind === 's3') throw new Error('storage.kind: "s3" is not served by this version; use "local", with a disk or a mounted EFS file system');
  return localStorage(config);
}
