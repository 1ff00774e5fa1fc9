/** What servers and clients of SSH have in common: keys of the host and of the account, made for the run, and a file that knows the host. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Workplace } from '../workplace';

export interface SshPlace {
  /** Private key of every server, Ed25519, in OpenSSH's own format. */
  readonly hostKey: string;
  /** Private key of the account. */
  readonly userKey: string;
  /** The account's public key as one line. */
  readonly publicKey: string;
  /** The same in the format of RFC 4716. */
  readonly publicKeyRfc4716: string;
  /** Options of OpenSSH's clients that make them independent of who runs them, and log in by the key. */
  readonly options: readonly string[];
}

/** Makes the keys when they are first asked for. */
export function sshPlace({ folder }: Workplace): SshPlace {
  const here = join(folder, 'ssh');
  const [hostKey, userKey, known] = ['host', 'user', 'known_hosts'].map((name) => join(here, name)) as [string, string, string];
  if (!existsSync(here)) {
    mkdirSync(here, { mode: 0o755 });
    for (const file of [hostKey, userKey]) keygen('-q', '-t', 'ed25519', '-N', '', '-C', 'bench', '-f', file);
    writeFileSync(`${userKey}.rfc4716`, keygen('-e', '-f', `${userKey}.pub`));
    writeFileSync(known, `* ${readFileSync(`${hostKey}.pub`, 'utf8')}`);
  }
  return {
    hostKey,
    userKey,
    publicKey: readFileSync(`${userKey}.pub`, 'utf8').trim(),
    publicKeyRfc4716: `${userKey}.rfc4716`,
    options: [
      ...['-F', 'none', '-i', userKey, '-o', 'IdentitiesOnly=yes', '-o', `UserKnownHostsFile=${known}`, '-o', 'StrictHostKeyChecking=yes'],
      ...['-o', 'BatchMode=yes', '-o', 'KexAlgorithms=curve25519-sha256', '-o', 'HostKeyAlgorithms=ssh-ed25519'],
      ...['-o', 'MACs=hmac-sha2-256-etm@openssh.com,hmac-sha2-256'],
    ],
  };
}

function keygen(...args: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync('ssh-keygen', args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`ssh-keygen: ${stderr}`);
  return stdout;
}
