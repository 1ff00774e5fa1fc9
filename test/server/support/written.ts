/**
 * What the server wrote during the whole suite: every line of every audit, every reply, everything on standard output and error.
 * The tests put it into one folder, together with the secrets that they made up; when the last test is over,
 * test/server/support/written-teardown.cjs looks for the second in the first.
 */
import { appendFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = process.env.CDK_FTPS_WRITTEN;

/** Keeps something that the server wrote. */
export function wrote(text: string): void {
  if (folder !== undefined) appendFileSync(join(folder, `written-${process.pid}`), `${text}\n`);
}

/** Remembers a secret that the server was given: a password, a hash, a private key. */
export function secret(text: string): string {
  if (folder !== undefined) appendFileSync(join(folder, `secrets-${process.pid}`), `${JSON.stringify(text)}\n`);
  return text;
}
