/** One open port, whatever the protocol: who may come in, and a session for each who does. */
import { createServer, type Server, type Socket } from 'node:net';
import type { Refusal, SessionFacts } from '../audit/event';
import { Networks, plainAddress } from '../config';
import type { Limits } from '../limits/limits';
import type { Newcomers } from '../limits/newcomers';
import { readProxyHeader } from '../limits/proxy-header';
import type { LoggingIn } from './logins';
import { seeThrough } from './one-connection';
import type { Sessions } from './registry';
import type { Session } from './session';

/** Addresses of the socket, or those that a PROXY header named. */
export type Origin = Pick<SessionFacts, 'client' | 'server'>;

export interface ListenerSettings {
  readonly host: string;
  readonly port: number;
  /** Networks that may connect; empty: all that are not denied. */
  readonly allow: readonly string[];
  readonly deny: readonly string[];
  /** Networks of load balancers, whose PROXY header says who the client is. */
  readonly proxyProtocolFrom: readonly string[];
  /** How long that header may take. */
  readonly handshakeSeconds: number;
}

export interface ListenerParts {
  readonly limits: Limits;
  readonly newcomers: Newcomers;
  readonly sessions: Sessions;
}

/** A session that has a connection and nobody's name yet. */
export interface BegunSession extends Session, Pick<LoggingIn, 'hasLoggedIn' | 'deciding'> {
  start(): Promise<void> | void;
}

export abstract class SessionListener {
  private readonly server: Server;
  private readonly allow: Networks;
  private readonly deny: Networks;
  private readonly proxies: Networks;
  private draining = false;

  constructor(
    private readonly settings: ListenerSettings,
    private readonly parts: ListenerParts,
  ) {
    this.allow = new Networks(settings.allow);
    this.deny = new Networks(settings.deny);
    this.proxies = new Networks(settings.proxyProtocolFrom);
    // Without `noDelay` small files take forty milliseconds each.
    this.server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }, (socket) => seeThrough(socket, this.arrive(socket)));
  }

  /** A session of the protocol, not started yet. It calls `onEnd` once, when its connection is gone. */
  protected abstract begin(socket: Socket, origin: Origin, onEnd: () => void): BegunSession;

  /** Tells the audit why, and the client what the protocol has for that, and ends the connection. */
  protected abstract refuse(socket: Socket, origin: Origin, reason: Refusal): void;

  /** Fulfilled when the port is open. Rejected with an Error that begins with `what` where it can't be. */
  protected async listen(what: string): Promise<void> {
    const { host, port } = this.settings;
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', (error: NodeJS.ErrnoException) => reject(new Error(`${what} can't be opened (${error.code})`)));
      this.server.listen({ host, port, backlog: 4096 }, resolve);
    });
  }

  /** The port that is open; with `port: 0`, the one that the kernel chose. */
  get port(): number {
    return (this.server.address() as { port: number }).port;
  }

  /** Takes no more sessions. Connections that still arrive are refused. */
  stopTaking(): void {
    this.draining = true;
  }

  async close(): Promise<void> {
    await new Promise((resolve) => this.server.close(resolve));
  }

  private async arrive(socket: Socket): Promise<void> {
    socket.on('error', () => {}); // a client may vanish at any point; `close` follows
    if (socket.remoteAddress === undefined || socket.localAddress === undefined) {
      socket.destroy(); // it has vanished already
      return;
    }
    const peer = plainAddress(socket.remoteAddress);
    const origin: Origin = {
      client: { address: peer, port: socket.remotePort ?? 0 },
      server: { address: plainAddress(socket.localAddress), port: socket.localPort ?? 0 },
    };
    if (this.proxies.isEmpty || !this.proxies.contains(peer)) return this.admit(socket, origin);
    const header = await readProxyHeader(socket, this.settings.handshakeSeconds);
    if (header === 'malformed') return this.refuse(socket, origin, 'proxy-header');
    if (header === 'health-check') {
      socket.destroy();
      return;
    }
    return this.admit(socket, { client: header.source, server: header.destination });
  }

  private async admit(socket: Socket, origin: Origin): Promise<void> {
    const { address } = origin.client;
    if (this.deny.contains(address) || (!this.allow.isEmpty && !this.allow.contains(address))) return this.refuse(socket, origin, 'network-not-allowed');
    if (this.draining) return this.refuse(socket, origin, 'draining');
    const { limits, newcomers, sessions } = this.parts;
    const refusal = await limits.admitConnection(address);
    if (refusal) return this.refuse(socket, origin, refusal);
    await newcomers.turn(address);
    if (socket.destroyed) return limits.releaseConnection(address, 'fruitless');
    if (this.draining) {
      limits.releaseConnection(address, 'lost');
      return this.refuse(socket, origin, 'draining');
    }
    const session = this.begin(socket, origin, () => {
      sessions.remove(session);
      const release = () => limits.releaseConnection(address, session.hasLoggedIn ? 'served' : 'fruitless');
      if (session.deciding) void session.deciding.then(release, release);
      else release();
    });
    sessions.add(session);
    await session.start();
  }
}
