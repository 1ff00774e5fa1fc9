/** The port of SSH: who may come in, and a session for each who does. */
import { createServer, type Server, type Socket } from 'node:net';
import type { Refusal, SessionFacts } from '../audit/event';
import { Networks, plainAddress } from '../config';
import { readProxyHeader } from '../limits/proxy-header';
import type { SshEngine } from './engine';
import { type SshOrigin, SshSession } from './session';

export class SshListener {
  private readonly server: Server;
  private readonly allow: Networks;
  private readonly deny: Networks;
  private readonly proxies: Networks;
  private draining = false;

  constructor(private readonly engine: SshEngine) {
    const { allow, deny, proxyProtocolFrom } = engine.config.sftp;
    this.allow = new Networks(allow);
    this.deny = new Networks(deny);
    this.proxies = new Networks(proxyProtocolFrom);
    // Without `noDelay` small files take forty milliseconds each.
    this.server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }, (socket) => {
      this.arrive(socket).catch((error: Error) => {
        socket.destroy();
        process.emitWarning(error);
      });
    });
  }

  /** Fulfilled when the port is open. Rejected with an Error that names the setting where it can't be. */
  async open(): Promise<void> {
    const { host, port } = this.engine.config.sftp;
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', (error: NodeJS.ErrnoException) => reject(new Error(`sftp: port ${port} on ${host} can't be opened (${error.code})`)));
      this.server.listen({ host, port, backlog: 4096 }, resolve);
    });
  }

  /** The port that is open; with `port: 0`, the one that the kernel chose. */
  get port(): number {
    return (this.server.address() as { port: number }).port;
  }

  /** Takes no more sessions. */
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
    const origin: SshOrigin = {
      client: { address: peer, port: socket.remotePort ?? 0 },
      server: { address: plainAddress(socket.localAddress), port: socket.localPort ?? 0 },
    };
    if (this.proxies.isEmpty || !this.proxies.contains(peer)) return this.admit(socket, origin);
    const header = await readProxyHeader(socket, this.engine.config.sftp.handshakeSeconds);
    if (header === 'malformed') return this.refuse(socket, origin, 'proxy-header');
    if (header === 'health-check') {
      socket.destroy();
      return;
    }
    return this.admit(socket, { client: header.source, server: header.destination });
  }

  private async admit(socket: Socket, origin: SshOrigin): Promise<void> {
    const { address } = origin.client;
    if (this.deny.contains(address) || (!this.allow.isEmpty && !this.allow.contains(address))) return this.refuse(socket, origin, 'network-not-allowed');
    if (this.draining) return this.refuse(socket, origin, 'draining');
    const { limits, newcomers, sessions } = this.engine;
    const refusal = await limits.admitConnection(address);
    if (refusal) return this.refuse(socket, origin, refusal);
    await newcomers.turn(address);
    if (socket.destroyed) return limits.releaseConnection(address, 'fruitless');
    if (this.draining) {
      limits.releaseConnection(address, 'lost');
      return this.refuse(socket, origin, 'draining');
    }
    const session = new SshSession(socket, this.engine, origin, () => {
      sessions.remove(session);
      const release = () => limits.releaseConnection(address, session.hasLoggedIn ? 'served' : 'fruitless');
      if (session.deciding) void session.deciding.then(release, release);
      else release();
    });
    sessions.add(session);
    session.start();
  }

  /** Nothing can be said before keys are agreed on, and that is what a flood is after. */
  private refuse(socket: Socket, origin: SshOrigin, reason: Refusal): void {
    const facts: SessionFacts = { session: '', protocol: 'ssh', listener: 'sftp', ...origin };
    this.engine.audit.record({ kind: 'refused', channel: 'control', reason, ...facts });
    socket.destroy();
  }
}
