/** Opens the door of SSH: host keys, authorities of users, policy, port. */
import { UserCertificates } from './certificates/user-certificates';
import type { SshEngine } from './engine';
import { HostKeys } from './host-keys';
import { SshListener } from './listener';
import { sshPolicies } from './transport/policy';

export interface SshDoor {
  readonly port: number;
  stopTaking(): void;
  /** Looks at host keys and revoked keys again. False where something was refused and the last good one stays. */
  reload(): Promise<boolean>;
  close(): Promise<void>;
}

/** Opens the port. Throws an Error that names the setting where a key can't be used. */
export async function openSsh(engine: Omit<SshEngine, 'hostKeys' | 'policy' | 'userCertificates'>): Promise<SshDoor> {
  const { sftp, tls } = engine.config;
  const policy = sshPolicies[tls.policy];
  const hostKeys = await HostKeys.open(sftp.hostKeys, tls.policy, engine.audit);
  const userCertificates = await UserCertificates.open(sftp.userCertificates, policy.userKeys, engine.audit).catch((error) => {
    hostKeys.close();
    throw error;
  });
  const listener = new SshListener({ ...engine, hostKeys, policy, userCertificates });
  const close = async () => {
    hostKeys.close();
    userCertificates.close();
  };
  try {
    await listener.open();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    port: listener.port,
    stopTaking: () => listener.stopTaking(),
    reload: async () => (await Promise.all([hostKeys.reload(), userCertificates.reload()])).every(Boolean),
    close: async () => {
      await close();
      await listener.close();
    },
  };
}
