/** One control port: who may come in, and a session for each who does. */
import { createServer, type Server, type Socket } from 'node:net';
import type { Refusal, SessionFacts } from '../audit/event';
import { type ListenerConfig, Networks, plainAddress } from '../config';
import { readProxyHeader } from '../limits/proxy-header';
import { ControlChannel } from './control/channel';
import type { CommandTable } from './control/command';
import type { Engine } from './control/engine';
import { Session, type SessionOrigin } from './control/session';
import { AdvertisedAddress } from './data/advertised-address';
import { seeThrough } from './one-connection';

/** What a refused client is told. Who may not come at all is told nothing. */
const texts: Partial<Record<Refusal, string>> = {
  'too-many-sessions': 'Too many sessions; try again later.',
  'too-many-sessions-for-address': 'Too many sessions from your address.',
  'too-many-connections': 'Too many connections from your address; try again later.',
  'locked-out': 'Your address is locked out; try again later.',
  draining: 'The server is going down; connect again.',
};

/** Refused clients of implicit mode that are told so at once: each costs a handshake, and that is what a flood is after. */
const MOST_REFUSED_IN_TLS = 16;
const REFUSAL_SECONDS = 5;

export class Listener {
  private readonly server: Server;
  private readonly advertised: AdvertisedAddress;
  private readonly allow: Networks;
  private readonly deny: Networks;
  private readonly proxies: Networks;
  private draining = false;
  private refusedInTls = 0;

  constructor(
    readonly config: ListenerConfig,
    private readonly engine: Engine,
    private readonly commands: CommandTable<Session>,
  ) {
    this.advertised = new AdvertisedAddress(config, (detail) =>
      engine.audit.record({ kind: 'configuration', change: 'refused', what: 'advertisedAddress', detail }),
    );
    this.allow = new Networks(config.allow);
    this.deny = new Networks(config.deny);
    this.proxies = new Networks(config.proxyProtocolFrom);
    this.server = createServer({ noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 }, (socket) => seeThrough(socket, this.arrive(socket)));
  }

  /** Fulfilled when the port is open. Rejected with an Error that names the setting where it can't be. */
  async open(): Promise<void> {
    await this.advertised.prepare();
    const { host, port, mode } = this.config;
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', (error: NodeJS.ErrnoException) =>
        reject(new Error(`listeners: the ${mode} port ${port} on ${host} can't be opened (${error.code})`)),
      );
      this.server.listen({ host, port, backlog: 4096 }, resolve);
    });
  }

  /** The port that is open; with `port: 0`, the one that the kernel chose. */
  get port(): number {
    return (this.server.address() as { port: number }).port;
  }

  /** Takes no more sessions. Connections that still arrive are told so. */
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
    const origin: SessionOrigin = {
      listener: this.config,
      advertised: this.advertised,
      client: { address: peer, port: socket.remotePort ?? 0 },
      server: { address: plainAddress(socket.localAddress), port: socket.localPort ?? 0 },
    };
    if (!this.proxies.isEmpty && this.proxies.contains(peer)) {
      const header = await readProxyHeader(socket, this.engine.config.tls.handshakeSeconds);
      if (header === 'malformed') return this.refuse(socket, origin, 'proxy-header');
      if (header === 'health-check') {
        socket.destroy();
        return;
      }
      return this.admit(socket, { ...origin, client: header.source, server: header.destination });
    }
    return this.admit(socket, origin);
  }

  private async admit(socket: Socket, origin: SessionOrigin): Promise<void> {
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
    const session = new Session(socket, this.engine, this.commands, origin, () => {
      sessions.remove(session);
      const release = () => limits.releaseConnection(address, session.hasLoggedIn ? 'served' : 'fruitless');
      if (session.deciding) void session.deciding.then(release, release);
      else release();
    });
    sessions.add(session);
    await session.start();
  }

  private refuse(socket: Socket, { client, server }: SessionOrigin, reason: Refusal): void {
    const facts: SessionFacts = { session: '', protocol: 'ftps', listener: this.config.mode, client, server };
    this.engine.audit.record({ kind: 'refused', channel: 'control', reason, ...facts });
    const text = texts[reason];
    if (!text) socket.destroy();
    else if (this.config.mode === 'explicit') socket.end(`421 ${text}\r\n`, () => socket.destroy());
    else void this.refuseInTls(socket, text);
  }

  private async refuseInTls(socket: Socket, text: string): Promise<void> {
    if (this.refusedInTls >= MOST_REFUSED_IN_TLS) {
      socket.destroy();
      return;
    }
    this.refusedInTls += 1;
    const timer = setTimeout(() => socket.destroy(), REFUSAL_SECONDS * 1000);
    socket.once('close', () => {
      clearTimeout(timer);
      this.refusedInTls -= 1;
    });
    const { certificates, newcomers } = this.engine;
    const turn = () => newcomers.turn(socket.remoteAddress ?? '');
    const channel = new ControlChannel(socket, { lines: () => {}, closed: () => {} });
    const handshake = await channel.secure(REFUSAL_SECONDS, turn, (hello) => ({
      ...certificates.handshake(hello, this.config.maxTlsVersion),
      clientCertificate: 'off',
      onSession: () => {},
    }));
    if (!handshake.ok) return;
    channel.gather(`421 ${text}\r\n`);
    channel.end();
  }
}
