/** Which accounts have a retention: written down in the storage at their logins, for every process that serves it and for the next start. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { RetainedAccount } from './storage';

const schema: z.ZodType<RetainedAccount> = z.object({
  user: z.string(),
  home: z.string(),
  retentionDays: z.number(),
  quota: z.object({ bytes: z.number().optional(), files: z.number().optional() }).optional(),
});

/** Name of an account's note: names of accounts may have characters that names of files may not. */
export function noteName(user: string): string {
  return `${createHash('sha256').update(user).digest('hex').slice(0, 40)}.json`;
}

export function noteOf({ user, home, retentionDays, quota }: RetainedAccount): string {
  return JSON.stringify({ user, home, retentionDays, quota });
}

/** Undefined where the note is none: a crash of the host can leave an empty one. */
export function readNote(text: string): RetainedAccount | undefined {
  try {
    return schema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
