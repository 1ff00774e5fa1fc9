/** Active mode (RFC 959 PORT, RFC 2428 EPRT): the server connects to the client, and only ever to the address it talks to. */
import { connect, type Socket } from 'node:net';
import type { Refusal } from '../../audit/event';
import { parsePortRange, portsOf, type ServerConfig } from '../../config';
import { peekClientHello } from '../../tls/peek';
import { namedSession } from '../tls/named-session';
import { type DataChannel, DataConnectionError, type DataOwner, type Direction, type PendingData } from './channel';
import { auditDataTls, type DataSecurity, secureData } from './secure';

export type ActiveOptions = ServerConfig['active'] & { readonly security: DataSecurity };

/** Ports below are other people's services (RFC 2577 section 3). */
export const LOWEST_ACTIVE_PORT = 1024;

/** What a source port that is in use towards this very client answers with; the next one may be free. */
const TAKEN = new Set(['EADDRINUSE', 'EADDRNOTAVAIL']);

/** Where the next connection begins to look for a source port, so that they take turns. */
let turn = 0;

export class ActiveTarget implements PendingData {
  private socket: Socket | undefined;
  private channel: DataChannel | undefined;
  private cancelled = false;

  constructor(
    private readonly owner: DataOwner,
    private readonly port: number,
    /** The server's own address on the control connection, so that the client's firewall sees the same peer; undefined where a proxy stands between. */
    private readonly localAddress: string | undefined,
    private readonly options: ActiveOptions,
  ) {}

  commanded(): void {}

  async connected(direction: Direction): Promise<DataChannel> {
    const { security } = this.options;
    const socket = await this.connect();
    const hello = await peekClientHello(socket, security.handshakeSeconds);
    const named = typeof hello === 'string' ? undefined : namedSession(hello, security.sessions);
    if (named && named.owner !== this.owner) throw this.refused(socket, 'other-session');
    const channel = await secureData(socket, this.owner, security, { direction, hello: typeof hello === 'string' ? undefined : hello, resume: named });
    if (!channel) throw new DataConnectionError('unreachable', 'The TLS handshake of the data connection failed');
    // Without proof there is still this: the client named the port on its encrypted control connection, and the server reached it at the client's address.
    if (channel.binding === 'address' && this.owner.dataTlsReuse === 'required') throw this.refused(channel.socket, 'session-not-resumed');
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

  private refused(socket: Socket, reason: Refusal): DataConnectionError {
    socket.destroy();
    this.options.security.audit.record({ kind: 'refused', channel: 'data', reason, detail: `active, port ${this.port}`, ...this.owner.facts });
    return new DataConnectionError('not-resumed', 'The data connection did not resume the TLS session of the control connection');
  }

  /** Connects, from the configured source ports in turn where there are some. */
  private async connect(): Promise<Socket> {
    const { sourcePorts } = this.options;
    const sources: readonly (number | undefined)[] = sourcePorts ? portsOf(parsePortRange(sourcePorts)) : [undefined];
    const first = turn++;
    let code: string | undefined;
    for (let step = 0; step < sources.length && !this.cancelled; step += 1) {
      const result = await this.tryFrom(sources[(first + step) % sources.length]);
      if (typeof result === 'object') return result;
      code = result;
      if (!TAKEN.has(code)) break;
    }
    if (code === 'EACCES') throw new DataConnectionError('unreachable', `The server may not connect from its ports ${sourcePorts} (${code})`);
    throw new DataConnectionError('unreachable', `Port ${this.port} of ${this.owner.address} does not answer`);
  }

  /** The connection, or the code of what went wrong. */
  private tryFrom(localPort: number | undefined): Promise<Socket | string> {
    return new Promise((resolve) => {
      const socket = connect({ host: this.owner.address, port: this.port, localAddress: this.localAddress, localPort, noDelay: true });
      this.socket = socket;
      let code = 'ETIMEDOUT';
      const timer = setTimeout(() => socket.destroy(), this.options.connectSeconds * 1000);
      const onClose = () => {
        clearTimeout(timer);
        resolve(code);
      };
      socket.on('error', (error: NodeJS.ErrnoException) => {
        code = error.code ?? code;
      });
      socket.once('close', onClose);
      socket.once('connect', () => {
        clearTimeout(timer);
        socket.off('close', onClose);
        resolve(socket);
      });
    });
  }
}
