/** One control port. */
import type { Socket } from 'node:net';
import type { Refusal, SessionFacts } from '../audit/event';
import type { ListenerConfig } from '../config';
import { type Origin, SessionListener } from '../sessions/listener';
import { ControlChannel } from './control/channel';
import type { CommandTable } from './control/command';
import type { Engine } from './control/engine';
import { Session } from './control/session';
import { AdvertisedAddress } from './data/advertised-address';

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

export class Listener extends SessionListener {
  private readonly advertised: AdvertisedAddress;
  private refusedInTls = 0;

  constructor(
    readonly config: ListenerConfig,
    private readonly engine: Engine,
    private readonly commands: CommandTable<Session>,
  ) {
    super({ ...config, handshakeSeconds: engine.config.tls.handshakeSeconds }, engine);
    this.advertised = new AdvertisedAddress(config, (detail) =>
      engine.audit.record({ kind: 'configuration', change: 'refused', what: 'advertisedAddress', detail }),
    );
  }

  /** Fulfilled when the port is open. Rejected with an Error that names the setting where it can't be. */
  async open(): Promise<void> {
    await this.advertised.prepare();
    const { host, port, mode } = this.config;
    await this.listen(`listeners: the ${mode} port ${port} on ${host}`);
  }

  protected begin(socket: Socket, origin: Origin, onEnd: () => void): Session {
    return new Session(socket, this.engine, this.commands, { ...origin, listener: this.config, advertised: this.advertised }, onEnd);
  }

  protected refuse(socket: Socket, origin: Origin, reason: Refusal): void {
    const facts: SessionFacts = { session: '', protocol: 'ftps', listener: this.config.mode, ...origin };
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
