/** A port of AS2's own, over TLS or without. */
import type { Socket } from 'node:net';
import type { Refusal, SessionFacts } from '../audit/event';
import { HttpConnection, type HttpEngine, type HttpPort, type Standing } from '../http/connection';
import type { HttpExchange, Mounted } from '../http/exchange';
import { type Origin, SessionListener } from '../sessions/listener';
import type { As2Parts } from './engine';

const HEAD_SECONDS = 10;
const KEEP_ALIVE_SECONDS = 60;
const TEXT = { 'content-type': 'text/plain; charset=utf-8' };

class As2Connection extends HttpConnection {
  readonly account = undefined;
  protected readonly standing: Standing = { hasLoggedIn: false, deciding: undefined };

  constructor(
    raw: Socket,
    engine: HttpEngine,
    port: HttpPort,
    private readonly mounted: Mounted,
    origin: Origin,
    onEnd: () => void,
  ) {
    super(raw, engine, port, origin, onEnd);
  }

  protected async handle(exchange: HttpExchange): Promise<void> {
    const { head, reply, caller } = exchange;
    if (head.path === this.mounted.path) return this.mounted.application(exchange);
    caller.refused(head, 404, 'not-found');
    reply.send(404, TEXT, 'There is nothing under this address.\n');
  }

  protected left(): void {}

  protected kicked(): void {}
}

export class As2Listener extends SessionListener {
  constructor(
    private readonly engine: As2Parts,
    private readonly mounted: Mounted,
    /** Which of the two ports. */
    private readonly kind: 'port' | 'plainPort',
  ) {
    const { as2, tls } = engine.config;
    super({ ...as2, port: as2[kind] ?? 0, handshakeSeconds: tls.handshakeSeconds }, engine);
  }

  /** Fulfilled when the port is open. Rejected with an Error that names the setting where it can't be. */
  async open(): Promise<void> {
    const { host } = this.engine.config.as2;
    await this.listen(`as2: ${this.kind} ${this.engine.config.as2[this.kind]} on ${host}`);
  }

  protected begin(socket: Socket, origin: Origin, onEnd: () => void): As2Connection {
    const port: HttpPort = {
      protocol: 'as2',
      listener: 'as2',
      tls: this.kind === 'port' ? { clientCertificates: 'off' } : undefined,
      headSeconds: HEAD_SECONDS,
      keepAliveSeconds: KEEP_ALIVE_SECONDS,
    };
    return new As2Connection(socket, this.engine, port, this.mounted, origin, onEnd);
  }

  protected refuse(socket: Socket, origin: Origin, reason: Refusal): void {
    const facts: SessionFacts = { session: '', protocol: 'as2', listener: 'as2', ...origin };
    this.engine.audit.record({ kind: 'refused', channel: 'control', reason, ...facts });
    socket.destroy();
  }
}
