import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Removes all that clients see of a folder; what the server keeps for itself stays. */
export function empty(folder: string): void {
  for (const name of readdirSync(folder)) if (!name.startsWith('.ftps-')) rmSync(join(folder, name), { recursive: true });
}
