/** What clients may know of host keys. */
import type { HostKey } from '../../../server/ssh/transport/host-keys';

/** Lines of a known_hosts file (sshd manual, "SSH_KNOWN_HOSTS FILE FORMAT"). */
export function knownHosts(keys: readonly HostKey[], hosts: string): string {
  return keys.map(({ line }) => (hosts === '' ? line : `${hosts} ${line}`)).join('\n');
}

/** `SHA256:… (ED25519)`, a line each, in the words of OpenSSH. */
export function fingerprints(keys: readonly HostKey[]): string {
  return keys.map(({ fingerprint, type }) => `${fingerprint} (${NAMES[type] ?? 'ECDSA'})`).join('\n');
}

const NAMES: Readonly<Record<string, string>> = { 'ssh-ed25519': 'ED25519', 'ssh-rsa': 'RSA' };
