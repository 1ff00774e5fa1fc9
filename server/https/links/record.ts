/** What is kept of a link. Its secret is in its address alone; here is a digest. */
import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';

const ID_LETTERS = 'abcdefghijklmnopqrstuvwxyz234567';
const ADDRESS = /^([a-z2-7]{13})\.([A-Za-z0-9_-]{43})$/;

const record = z.object({
  id: z.string(),
  kind: z.enum(['download', 'drop']),
  /** As the account names it: a file, or a folder. */
  path: z.string(),
  title: z.string(),
  user: z.string(),
  /** Of the account's record when it was made (`AccountRecord`). */
  fingerprint: z.string(),
  /** Id of the token that made it. */
  token: z.string().optional(),
  sha256: z.string(),
  /** PHC string. */
  passwordHash: z.string().optional(),
  /** ISO 8601. */
  created: z.string(),
  expires: z.string(),
  uses: z.number(),
});

export type LinkRecord = z.output<typeof record>;

/** Undefined where it is none: a crash of the host can leave an empty one. */
export function readRecord(text: string | undefined): LinkRecord | undefined {
  try {
    return record.parse(JSON.parse(text ?? ''));
  } catch {
    return undefined;
  }
}

export interface LinkAddress {
  readonly id: string;
  readonly secret: string;
}

export function newAddress(): LinkAddress {
  const id = Array.from(randomBytes(13), (byte) => ID_LETTERS[byte % ID_LETTERS.length]).join('');
  return { id, secret: randomBytes(32).toString('base64url') };
}

/** As it stands in a URL. */
export function writeAddress({ id, secret }: LinkAddress): string {
  return `${id}.${secret}`;
}

export function readAddress(text: string): LinkAddress | undefined {
  const [, id, secret] = ADDRESS.exec(text) ?? [];
  return id === undefined || secret === undefined ? undefined : { id, secret };
}

/** Of 256 bits by chance nobody guesses one, so that no slower hash is needed. */
export function digestOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex');
}

/** A path of a URL without the secret of a link, for the audit. */
export function withoutSecret(path: string): string {
  return path.replace(/^(\/l\/|\/api\/v1\/shared\/)([a-z2-7]{13}(?=\.))?[^/]*/, (_, before: string, id = '…') => `${before}${id}`);
}
