/** How much a home on the local disk holds. */
import type { Held } from '../usage';
import { isReserved } from '../virtual-path';
import { Folder } from './folder';

export async function countHome(root: string, parts: readonly string[]): Promise<Held> {
  let [bytes, files] = [0, 0];
  const folder = await Folder.walk(root, parts);
  try {
    for await (const names of folder.names()) {
      const found = await folder.stats(names);
      for (const [index, name] of names.entries()) {
        const one = isReserved(name) ? undefined : found[index];
        if (one?.isFile()) {
          bytes += one.size;
          files += 1;
        } else if (one?.isDirectory()) {
          const inside = await countHome(root, [...parts, name]);
          bytes += inside.bytes;
          files += inside.files;
        }
      }
    }
  } finally {
    await folder.close();
  }
  return { bytes, files };
}
