/** Short names for content: what is named by it changes its name when it changes. */
import { createHash } from 'node:crypto';

/** Ten hexadecimal digits that stand for the content. */
export function digest(...parts: unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 10);
}
