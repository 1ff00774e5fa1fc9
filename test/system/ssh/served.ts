/** The built server with SFTP on, and what a client needs to reach it. */
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hashPassword } from '../../../server/identity/password';
import { HostKey } from '../../../server/ssh/transport/host-keys';
import { TestAuthority } from '../../server/support/authority';
import { PASSWORD, type ServedProcess, serveConfigured, USER } from '../support/served';
import { BOTH, READER } from './accounts';
import { type Place, program } from './clients';

export interface SshServed {
  readonly server: ServedProcess;
  readonly place: Place;
  stop(): Promise<void>;
}

/** `sftp`: settings of its block beyond port and host key. */
export async function sshServed(sftp: object = {}): Promise<SshServed> {
  const folder = mkdtempSync(join(tmpdir(), 'ftps-ssh-clients-'));
  const hostPem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }) as string;
  writeFileSync(join(folder, 'host.pem'), hostPem);
  const key = join(folder, 'id_ed25519');
  await program('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key]);
  const passwordHash = await hashPassword(PASSWORD);
  const publicKeys = [readFileSync(`${key}.pub`, 'utf8').trim()];
  const accounts = [
    { user: USER, home: '/', passwordHash, publicKeys },
    { user: BOTH, home: '/', passwordHash, publicKeys, sshLogin: 'key-and-password' },
    { user: READER, home: '/', publicKeys, permissions: ['read', 'list'] },
  ];
  writeFileSync(join(folder, 'accounts.json'), JSON.stringify({ accounts }));
  const authority = await TestAuthority.create();
  const issued = await authority.issue();
  writeFileSync(join(folder, 'server.pem'), issued.certificate);
  writeFileSync(join(folder, 'server.key'), issued.key);
  const server = await serveConfigured({
    listeners: [{ mode: 'explicit', host: '127.0.0.1', port: 0 }],
    passive: { ports: 'any:4' },
    sftp: { host: '127.0.0.1', port: 0, hostKeys: [{ kind: 'file', file: join(folder, 'host.pem') }], ...sftp },
    tls: { certificates: [{ kind: 'file', certificate: join(folder, 'server.pem'), key: join(folder, 'server.key') }] },
    identity: [{ kind: 'file', file: join(folder, 'accounts.json') }],
    limits: { connectionsPerMinutePerAddress: 100_000, sessionsPerAddress: 1_000 },
  });
  return {
    server,
    place: { port: server.sftp!, folder, hostKey: HostKey.read(hostPem).line, key },
    stop: async () => {
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Fulfilled when it is so: lines of the audit are gathered for some milliseconds before they are written. Rejected after ten seconds. */
export async function told(isSo: () => boolean): Promise<void> {
  for (const until = Date.now() + 10_000; !isSo(); await new Promise((resolve) => setTimeout(resolve, 20)))
    if (Date.now() > until) throw new Error('it is not told');
}
