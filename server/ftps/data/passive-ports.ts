/**
 * The passive range: listeners opened once and shared by all sessions. Who gets which port is said in port-queue.ts, whose a connection is in arrivals.ts.
 */
import { createServer, type Server } from 'node:net';
import { seeThrough } from '../../sessions/one-connection';
import type { Firewall } from '../firewall/firewall';
import { Arrivals } from './arrivals';
import { DataConnectionError, type DataOwner } from './channel';
import type { PassiveOffer } from './passive-offer';
import { PassivePort } from './passive-port';
import { PortQueue } from './port-queue';
import type { DataSecurity } from './secure';

export interface PassiveOptions {
  /** Addresses to listen on; the control listeners' hosts. */
  readonly hosts: readonly string[];
  /** The ports to open; 0 is any free one. */
  readonly ports: readonly number[];
  readonly connectSeconds: number;
  readonly security: DataSecurity;
  readonly firewall: Firewall;
}

/** More connections than this may wait to be accepted (net.core.somaxconn allowing). */
const BACKLOG = 4_096;

export class PassivePorts {
  private readonly servers: Server[] = [];
  private readonly queue: PortQueue;
  private readonly arrivals: Arrivals;

  private constructor(private readonly options: PassiveOptions) {
    const { connectSeconds, security, firewall } = options;
    this.queue = new PortQueue({
      connectSeconds,
      over: (owner, port, outcome) => {
        if (port.waitingFrom(owner.address).size === 0) firewall.withdraw(owner.address, port.number);
        security.audit.record({ kind: 'passive-port', change: outcome, port: port.number, ...owner.facts });
      },
    });
    this.arrivals = new Arrivals({ connectSeconds, security, turnedAway: (owner) => this.queue.keepAlone(owner) });
  }

  /** Opens every port on every host. Throws where one is taken. */
  static async open(options: PassiveOptions): Promise<PassivePorts> {
    const pool = new PassivePorts(options);
    try {
      for (const wanted of options.ports) await pool.listen(wanted);
    } catch (error) {
      await pool.close();
      throw error;
    }
    return pool;
  }

  /** The ports that are open, in order. */
  get ports(): readonly number[] {
    return this.queue.ports.map(({ number }) => number).sort((a, b) => a - b);
  }

  /** On how many ports somebody is waited for. */
  get waitedOn(): number {
    return this.queue.ports.filter((port) => port.isWaitedOn).length;
  }

  /**
   * Reserves a port for the owner's next data connection and lets its client through the firewall. Throws a DataConnectionError,
   * `exhausted` or `firewall`, where nothing can be offered now.
   */
  async offer(owner: DataOwner): Promise<PassiveOffer> {
    const offer = await this.queue.reserve(owner);
    const { firewall, connectSeconds, security } = this.options;
    try {
      // The wait begins anew with the transfer command, so it can last twice as long.
      await firewall.admit(owner.address, offer.port, 2 * connectSeconds);
    } catch {
      offer.cancel(); // why is in the health and in the audit; it is none of the client's business
      throw new DataConnectionError('firewall', 'The firewall could not be opened for you; try again later');
    }
    security.audit.record({ kind: 'passive-port', change: 'opened', port: offer.port, ...owner.facts });
    return offer;
  }

  async close(): Promise<void> {
    this.queue.close();
    await Promise.all(this.servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }

  private async listen(wanted: number): Promise<void> {
    let number = wanted;
    for (const host of this.options.hosts) {
      const server = createServer({ pauseOnConnect: false, noDelay: true }, (socket) => seeThrough(socket, this.arrivals.arrive(port, socket)));
      this.servers.push(server);
      await new Promise<void>((resolve, reject) => {
        server.once('error', (error: NodeJS.ErrnoException) =>
          reject(new Error(`passive.ports: port ${number} can't be opened (${error.code}); choose a range that is free`)),
        );
        server.listen({ host, port: number, exclusive: true, backlog: BACKLOG }, resolve);
      });
      number = (server.address() as { port: number }).port;
    }
    const port = new PassivePort(number);
    this.queue.add(port);
  }
}
