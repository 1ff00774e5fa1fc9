/** Public keys of users, as directories keep them. */
import { publicKey } from '../../config';

/**
 * The keys in the values of an attribute, as lines: `sshPublicKey` has them as they are, `altSecurityIdentities` of Active Directory behind `SSHKey:`, among
 * other things (`X509:…`, `Kerberos:…`). What stands before a key in authorized_keys ties it (`from="…"`), and is not looked at here: such a key is none.
 */
export function keysIn(values: readonly string[]): string[] {
  return values
    .flatMap((value) => value.split(/\r?\n/))
    .map((line) => line.replace(/^\s*SSHKey:/i, '').trim())
    .filter((line) => publicKey.safeParse(line).success);
}
