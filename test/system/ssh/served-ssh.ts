/** The built server with SFTP on, and what its clients need to reach it. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashPassword } from '../../../server/identity/password';
import { HostKey } from '../../../server/ssh/transport/host-keys';
import { TestAuthority } from '../../server/support/authority';
import { PASSWORD, type ServedProcess, serveConfigured, USER } from '../support/served';
import { type Place, program } from './clients';

export interface ServedSsh {
  readonly server: ServedProcess;
  readonly place: Place;
  stop(): Promise<void>;
}

/** `settings` are those of the server beside what SFTP needs. */
export async function servedSsh(settings: object = {}): Promise<ServedSsh> {
  const folder = mkdtempSync(join(tmpdir(), 'ftps-ssh-clients-'));
  const hostPem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  writeFileSync(join(folder, 'host.pem'), hostPem);
  const key = join(folder, 'id_ed25519');
  await program('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const accounts = [{ user: USER, home: '/', passwordHash: await hashPassword(PASSWORD), publicKeys: [readFileSync(`${key}.pub`, 'utf8').trim()] }];
  writeFileSync(join(folder, 'accounts.json'), JSON.stringify({ accounts }));
  const issued = await (await TestAuthority.create()).issue();
  writeFileSync(join(folder, 'server.pem'), issued.certificate);
  writeFileSync(join(folder, 'server.key'), issued.key);
  const server = await serveConfigured({
    listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0 }],
    passive: { ports: 'any:4' },
    sftp: { host: '127.0.0.1', port: 0, hostKeys: [{ kind: 'file', file: join(folder, 'host.pem') }] },
    tls: { certificates: [{ kind: 'file', certificate: join(folder, 'server.pem'), key: join(folder, 'server.key') }] },
    identity: [{ kind: 'file', file: join(folder, 'accounts.json') }],
    ...settings,
  });
  return {
    server,
    place: { port: server.sftp!, folder, hostKey: HostKey.read(hostPem).line, key },
    async stop() {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
