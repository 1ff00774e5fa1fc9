/** The port of HTTPS. */
import type { Socket } from 'node:net';
import type { Refusal, SessionFacts } from '../audit/event';
import { type Origin, SessionListener } from '../sessions/listener';
import { HttpsConnection } from './connection';
import type { HttpsEngine } from './engine';
import type { Application } from './exchange';

export class HttpsListener extends SessionListener {
  constructor(
    private readonly engine: HttpsEngine,
    private readonly application: Application,
  ) {
    super({ ...engine.config.https, handshakeSeconds: engine.config.tls.handshakeSeconds }, engine);
  }

  /** Fulfilled when the port is open. Rejected with an Error that names the setting where it can't be. */
  async open(): Promise<void> {
    const { host, port } = this.engine.config.https;
    await this.listen(`https: port ${port} on ${host}`);
  }

  protected begin(socket: Socket, origin: Origin, onEnd: () => void): HttpsConnection {
    return new HttpsConnection(socket, this.engine, this.application, origin, onEnd);
  }

  /** Nothing can be said before a handshake, and that is what a flood is after. */
  protected refuse(socket: Socket, origin: Origin, reason: Refusal): void {
    const facts: SessionFacts = { session: '', protocol: 'https', listener: 'https', ...origin };
    this.engine.audit.record({ kind: 'refused', channel: 'control', reason, ...facts });
    socket.destroy();
  }
}
