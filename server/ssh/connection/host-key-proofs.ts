/** Clients learn of host keys that will be used later (OpenSSH, PROTOCOL section 2.5): they are told of all after the login, and ask for proof of those they don't know. */
import type { HostKey } from '../transport/host-keys';
import { WireReader, WireWriter } from '../wire';
import { messages } from './messages';

const ANNOUNCE = 'hostkeys-00@openssh.com';
export const PROVE = 'hostkeys-prove-00@openssh.com';

export function announcement(keys: readonly HostKey[]): Buffer {
  const packet = new WireWriter().byte(messages.globalRequest).string(ANNOUNCE).boolean(false);
  for (const key of keys) packet.string(key.getPublicSSH());
  return packet.done();
}

/** Each proof costs a signature: a connection gets each key's once and no more. */
export class HostKeyProofs {
  private readonly left: HostKey[];

  constructor(
    keys: readonly HostKey[],
    private readonly sessionId: Buffer,
    /** By which an RSA key signs: the one that was agreed on, where it was one of RSA. */
    private readonly rsaAlgorithm: string,
  ) {
    this.left = [...keys];
  }

  /** The reply to a request for these keys, or undefined where one of them is none of ours, or was proven before. Throws MalformedPacket. */
  reply(request: Buffer): Buffer | undefined {
    const reader = new WireReader(request);
    const reply = new WireWriter().byte(messages.requestSuccess);
    while (reader.left > 0) {
      const blob = reader.string();
      const index = this.left.findIndex((key) => key.getPublicSSH().equals(blob));
      if (index < 0) return undefined;
      const [key] = this.left.splice(index, 1);
      reply.string(key!.prove(new WireWriter().string(PROVE).string(this.sessionId).string(blob).done(), this.rsaAlgorithm));
    }
    return reply.done();
  }
}
