/** The storage that the configuration names. */
import type { ServerConfig } from '../config';
import { localStorage } from './local/storage';
import type { Storage } from './storage';

export function openStorage(config: ServerConfig['storage']): Storage {
  return localStorage(config);
}
