/** The local disk, or a mounted EFS file system, as storage. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerConfig } from '../../../config';
import { FairTurns } from '../../fair-turns';
import { partsOf, virtualPath } from '../../virtual-path';
import { Accounting, type SharedParts } from '../accounting';
import type { Storage } from '../storage';
import { countHome } from './count';
import { Folder } from './folder';
import { KeptFolders } from './kept-folders';
import { LocalNotes } from './notes';
import { LocalPrepared } from './prepared';
import { LocalQuarantine } from './quarantine';
import { LocalRetained } from './retained';
import { Staging } from './staging';
import { LocalStretches } from './stretches';
import { LocalVolume } from './volume';

/** Beginnings of files that are copied at once for uploads that continue them: the thread pool has four threads for everybody. */
const COPIES_AT_ONCE = 2;

export function localStorage({ root, fsync }: Extract<ServerConfig['storage'], { kind: 'local' }>, shared: SharedParts = {}): Storage {
  const folders = new KeptFolders(root);
  const staging = new Staging(root);
  const prepared = new LocalPrepared(root);
  const quarantine = new LocalQuarantine(root);
  const accounting = new Accounting(shared);
  const copies = new FairTurns(COPIES_AT_ONCE);
  return {
    async open({ user, home, quota, overwrite = true }) {
      const parts = partsOf(virtualPath('/', home));
      // Nearly always it is there.
      const there = await Folder.walk(root, parts).catch(() => undefined);
      if (there) await there.close();
      else await makeHome(root, parts);
      const usage = accounting.usageOf({ user, quota }, parts.join('/'), (signal) => countHome(root, parts, signal));
      return new LocalVolume({ root, folders, home: parts, user, overwrite, staging, prepared, quarantine, fsync, usage, locks: accounting.locks, copies });
    },
    quarantine,
    retained: new LocalRetained(root),
    notes: new LocalNotes(root),
    stretches: new LocalStretches(root, fsync),
    prepared,
    locate: (home, path) => join(root, ...partsOf(virtualPath('/', home)), ...partsOf(path)),
    async *sweep() {
      yield* staging.sweep();
      yield* prepared.sweep();
    },
    async close() {
      await accounting.close();
      folders.close();
      await staging.close();
      await prepared.close();
    },
  };
}

/** Makes the folders of a home that are missing, one step at a time and never through a link. */
async function makeHome(root: string, parts: readonly string[]): Promise<void> {
  await mkdir(root, { recursive: true, mode: 0o750 });
  for (let depth = 0; depth < parts.length; depth += 1) {
    const folder = await Folder.walk(root, parts.slice(0, depth));
    try {
      await folder.mkdir(parts[depth]!).catch(() => {}); // there already; the walk below says if it is no folder
    } finally {
      await folder.close();
    }
  }
  await (await Folder.walk(root, parts)).close();
}
