/** Says what becomes of the audit's files: which were deleted, and when the disk is short of room. */
import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { createInterface } from 'node:readline';
import { type Stretch, stretchesOf } from './chain';
import type { Audit } from './event';
import type { FileEvents } from './file';

/** Chains of a deleted file that are named: one for each process that ever wrote into it. */
const MOST_CHAINS = 64;

export interface AuditRoom extends FileEvents {
  /** `up`, or what is short. */
  readonly state: string;
}

/** `audit` is asked for when there is something to say: the file is opened before it. */
export function watchRoom(audit: () => Audit, freeBytes: number, measured: (bytes: number) => void): AuditRoom {
  let state = 'up';
  return {
    get state() {
      return state;
    },
    async dropping({ path, bytes, shipped }, why) {
      const chains = await stretchesOf(createInterface({ input: createReadStream(path) })).catch((): Stretch[] => []);
      audit().record({
        kind: 'audit-dropped',
        file: basename(path),
        bytes,
        why,
        shipped,
        chains: chains.slice(-MOST_CHAINS),
      });
    },
    free(bytes) {
      measured(bytes);
      const short = bytes < freeBytes;
      if (short === (state !== 'up')) return;
      state = short ? `short of room: ${Math.floor(bytes / 1024 / 1024)} MiB are free on its disk, and nothing is left to delete` : 'up';
      audit().record({ kind: 'health', part: 'audit', state: short ? 'down' : 'up', detail: short ? state : undefined });
    },
  };
}
