/** Active mode (RFC 959 PORT, RFC 2428 EPRT): the server connects to the client, and only ever to the address it talks to. */
import { connect, type Socket } from 'node:net';
import { parsePortRange, type ServerConfig } from '../config';
import { type DataChannel, DataConnectionError, type DataOwner, type Direction, type PendingData } from './channel';
import { auditDataTls, type DataSecurity, secureData } from './secure';

export type ActiveOptions = ServerConfig['active'] & { readonly security: DataSecurity };

/** Ports below are other people's services (RFC 2577 section 3). */
export const LOWEST_ACTIVE_PORT = 1024;

export class ActiveTarget implements PendingData {
  private socket: Socket | undefined;
  private channel: DataChannel | undefined;
  private cancelled = false;

  constructor(
    private readonly owner: DataOwner,
    private readonly port: number,
    /** The server's own address on the control connection, so that the client's firewall sees the same peer. */
    private readonly localAddress: string,
    private readonly options: ActiveOptions,
  ) {}

  async connected(direction: Direction): Promise<DataChannel> {
    const { security } = this.options;
    this.socket = await this.connect();
    const channel = await secureData(this.socket, this.owner, security, { direction });
    if (!channel) throw new DataConnectionError('unreachable', 'The TLS handshake of the data connection failed');
    // The client named this port on its encrypted control connection, and the server reached it at the client's address.
    if (channel.binding === 'address' && this.owner.dataTlsReuse === 'required') {
      channel.socket.destroy();
      security.audit.record({ kind: 'refused', channel: 'data', reason: 'session-not-resumed', ...this.owner.facts });
      throw new DataConnectionError('not-resumed', 'The data connection did not resume the TLS session of the control connection');
    }
    channel.socket.on('error', () => {});
    this.channel = channel;
    if (this.cancelled) channel.socket.destroy();
    auditDataTls(security.audit, this.owner, channel);
    return channel;
  }

  cancel(): void {
    this.cancelled = true;
    this.channel?.socket.destroy();
    this.socket?.destroy();
  }

  /** Connects, from the configured source ports in turn where there are some. */
  private async connect(): Promise<Socket> {
    const range = this.options.sourcePorts ? parsePortRange(this.options.sourcePorts) : undefined;
    const sources = range && 'low' in range ? Array.from({ length: range.high - range.low + 1 }, (_, index) => range.low + index) : [undefined];
    for (const localPort of sources) {
      const socket = await this.tryFrom(localPort);
      if (socket) return socket;
    }
    throw new DataConnectionError('unreachable', `Port ${this.port} of ${this.owner.address} does not answer`);
  }

  private tryFrom(localPort: number | undefined): Promise<Socket | undefined> {
    return new Promise((resolve) => {
      if (this.cancelled) return resolve(undefined);
      const socket = connect({ host: this.owner.address, port: this.port, localAddress: this.localAddress, localPort, noDelay: true });
      this.socket = socket;
      const timer = setTimeout(() => socket.destroy(), this.options.connectSeconds * 1000);
      socket.on('error', () => {});
      socket.once('close', () => {
        clearTimeout(timer);
        resolve(undefined);
      });
      socket.once('connect', () => {
        clearTimeout(timer);
        resolve(socket);
      });
    });
  }
}
