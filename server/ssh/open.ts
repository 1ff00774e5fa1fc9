/** Opens SSH: host keys, authorities of users, policy, port. */
import type { OpenProtocol } from '../sessions/protocol';
import { UserCertificates } from './certificates/user-certificates';
import type { SshEngine } from './engine';
import { HostKeys } from './host-keys';
import { SshListener } from './listener';
import { sshPolicies } from './transport/policy';

/** Opens the port. Throws an Error that names the setting where a key can't be used. */
export async function openSsh(engine: Omit<SshEngine, 'hostKeys' | 'policy' | 'userCertificates'>): Promise<OpenProtocol> {
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
    ports: [{ mode: 'sftp', host: sftp.host, port: listener.port }],
    stopTaking: () => listener.stopTaking(),
    reload: async () => (await Promise.all([hostKeys.reload(), userCertificates.reload()])).every(Boolean),
    close: async () => {
      await close();
      await listener.close();
    },
  };
}
