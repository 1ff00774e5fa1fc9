/** How much a home on the local disk holds. */
import type { Held } from '../usage';
import { isReserved } from '../virtual-path';
import { Folder } from './folder';

export async function countHome(root: string, parts: readonly string[]): Promise<Held> {
  let [bytes, files] = [0, 0];
  const folder = await Folder.walk(root, parts);
  try {
    for await (const { name } of await folder.entries()) {
      if (isReserved(name)) continue;
      const found = await folder.stat(name).catch(() => undefined);
      if (found?.isFile()) {
        bytes += found.size;
        files += 1;
      } else if (found?.isDirectory()) {
        const inside = await countHome(root, [...parts, name]);
        bytes += inside.bytes;
        files += inside.files;
      }
    }
  } finally {
    await folder.close().catch(() => {}); // iterating the entries may have closed what it opened
  }
  return { bytes, files };
}
