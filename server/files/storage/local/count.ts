/** How much a home on the local disk holds. */
import type { Held } from '../usage-counts';
import { filesBelow } from './tree';

export async function countHome(root: string, parts: readonly string[], signal?: AbortSignal): Promise<Held> {
  let [bytes, files] = [0, 0];
  for await (const found of filesBelow(root, parts, signal)) {
    for (const { stats } of found.files) bytes += stats.size;
    files += found.files.length;
  }
  return { bytes, files };
}
