/** The port of SSH. */
import type { Socket } from 'node:net';
import type { Refusal, SessionFacts } from '../audit/event';
import { type Origin, SessionListener } from '../sessions/listener';
import type { SshEngine } from './engine';
import { SshSession } from './session';

export class SshListener extends SessionListener {
  constructor(private readonly engine: SshEngine) {
    super(engine.config.sftp, engine);
  }

  /** Fulfilled when the port is open. Rejected with an Error that names the setting where it can't be. */
  async open(): Promise<void> {
    const { host, port } = this.engine.config.sftp;
    await this.listen(`sftp: port ${port} on ${host}`);
  }

  protected begin(socket: Socket, origin: Origin, onEnd: () => void): SshSession {
    return new SshSession(socket, this.engine, origin, onEnd);
  }

  /** Nothing can be said before keys are agreed on, and that is what a flood is after. */
  protected refuse(socket: Socket, origin: Origin, reason: Refusal): void {
    const facts: SessionFacts = { session: '', protocol: 'ssh', listener: 'sftp', ...origin };
    this.engine.audit.record({ kind: 'refused', channel: 'control', reason, ...facts });
    socket.destroy();
  }
}
