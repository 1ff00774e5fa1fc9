/** Room on a disk, looked at before a test that needs some: without it a test would fail late, or wait for what never comes. */
import { statfsSync } from 'node:fs';

/** Throws where less is free there. Bytes. */
export function needRoom(folder: string, bytes: number): void {
  const { bavail, bsize } = statfsSync(folder);
  const free = bavail * bsize;
  if (free < bytes) throw new Error(`This test needs ${amount(bytes)} free in ${folder}, and ${amount(free)} are.`);
}

function amount(bytes: number): string {
  const mib = bytes / 1024 ** 2;
  return mib < 1024 ? `${Math.floor(mib)} MiB` : `${(mib / 1024).toFixed(1)} GiB`;
}
