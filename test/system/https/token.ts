import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { HttpsClient } from '../../server/https/served';
import { BUNDLE, run, type ServedProcess, USER } from '../support/served';

/** A token of the account, as an operator makes one, when its server has taken it up. */
export async function tokenOf({ folder, https, ca }: ServedProcess): Promise<string> {
  const accounts = join(folder, `accounts-${USER}.json`);
  const { code, output } = await run(process.execPath, [BUNDLE, 'token', 'create', USER, '--name', 'a test', '--scope', 'read', 'write', '--file', accounts]);
  const [token] = /^ftps_\S+$/m.exec(output) ?? [];
  if (code !== 0 || token === undefined) throw new Error(output);
  while (!(await isKnown(token, https!, readFileSync(ca)))) await new Promise((resolve) => setTimeout(resolve, 50));
  return token;
}

async function isKnown(token: string, port: number, ca: Buffer): Promise<boolean> {
  const client = new HttpsClient(port, { ca });
  const { status } = await client.ask('GET', '/api/v1/sign-in', { headers: { authorization: `Bearer ${token}` } });
  client.close();
  return status === 200;
}
