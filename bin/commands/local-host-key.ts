/** The host key of a server on a laptop, made once, so that clients know it again. */
import { generateKeyPairSync } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HostKey } from '../../server/ssh/transport/host-keys';

/** The file of the key in the state folder; what clients are to know of it lies beside it, in `host-key.pub`. */
export async function localHostKey(state: string): Promise<string> {
  const file = join(state, 'host-key.pem');
  if (!existsSync(file)) {
    await mkdir(state, { recursive: true, mode: 0o700 });
    await writeFile(file, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  }
  await writeFile(join(state, 'host-key.pub'), `${HostKey.read(await readFile(file, 'utf8')).line}\n`);
  return file;
}
