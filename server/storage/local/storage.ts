/** The local disk, or a mounted EFS file system, as storage. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerConfig } from '../../config';
import type { Storage } from '../storage';
import { LocalCounts, Usage, type UsageCounts } from '../usage';
import { partsOf, virtualPath } from '../virtual-path';
import { countHome } from './count';
import { Folder } from './folder';
import { LocalQuarantine } from './quarantine';
import { LocalRetained } from './retained';
import { Staging } from './staging';
import { LocalVolume } from './volume';

export function localStorage({ root, fsync }: Extract<ServerConfig['storage'], { kind: 'local' }>, counts: UsageCounts = new LocalCounts()): Storage {
  const staging = new Staging(root);
  const quarantine = new LocalQuarantine(root);
  const usages = new Map<string, Usage>();
  return {
    async open({ user, home, quota }) {
      const parts = partsOf(virtualPath('/', home));
      // Nearly always it is there.
      const there = await Folder.walk(root, parts).catch(() => undefined);
      if (there) await there.close();
      else await makeHome(root, parts);
      const key = parts.join('/');
      const usage = quota ? (usages.get(key) ?? new Usage(key, quota, () => countHome(root, parts), counts)) : undefined;
      if (usage) usages.set(key, usage);
      return new LocalVolume(root, parts, user, staging, quarantine, fsync, usage);
    },
    quarantine,
    retained: new LocalRetained(root),
    locate: (home, path) => join(root, ...partsOf(virtualPath('/', home)), ...partsOf(path)),
    sweep: () => staging.sweep(),
    close: () => staging.close(),
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
