/** Several servers of one directory, asked in order, and a circuit breaker for each: who failed is left alone for a while. */
import { DirectoryDown } from './down';

export interface BreakerOptions {
  /** Failures in a row after which a server is left alone. */
  readonly failures: number;
  readonly retrySeconds: number;
}

interface Server {
  readonly url: string;
  failures: number;
  /** Left alone until then; 0 where it works. */
  until: number;
  /** Why it is left alone. */
  reason: string;
}

export class Servers<Connection extends { close(): Promise<void> }> {
  private readonly servers: readonly Server[];

  constructor(
    urls: readonly string[],
    private readonly options: BreakerOptions,
    private readonly connect: (url: string) => Promise<Connection>,
    private readonly report: (state: 'up' | 'down', detail: string) => void,
    private readonly now: () => number = Date.now,
  ) {
    this.servers = urls.map((url) => ({ url, failures: 0, until: 0, reason: '' }));
  }

  /** A connection to the first server that works and can be prepared. Throws DirectoryDown, at once where all of them failed a moment ago. */
  async open(prepare: (connection: Connection) => Promise<void> = async () => {}): Promise<Connection> {
    const reasons: string[] = [];
    for (const server of this.servers) {
      if (server.until > this.now()) {
        reasons.push(`a moment ago ${server.reason}`);
        continue;
      }
      // While one login tries a server that failed, the others go on leaving it alone.
      if (server.until > 0) server.until = this.now() + this.options.retrySeconds * 1000;
      try {
        const connection = await this.connect(server.url);
        await prepare(connection).catch(async (error: unknown) => {
          await connection.close();
          throw error;
        });
        this.worked(server);
        return connection;
      } catch (error) {
        const { message } = error as Error;
        const reason = message.includes(server.url) ? message : `${server.url}: ${message}`;
        reasons.push(reason);
        this.didFail(server, reason);
      }
    }
    throw new DirectoryDown(reasons.join('; '));
  }

  /** A connection of this server broke, or was not answered. */
  failed(url: string, reason: string): void {
    const server = this.servers.find((one) => one.url === url);
    if (server) this.didFail(server, reason);
  }

  /** A server answered. */
  answered(url: string): void {
    const server = this.servers.find((one) => one.url === url);
    if (server) server.failures = 0;
  }

  private worked(server: Server): void {
    if (server.until > 0) this.report('up', server.url);
    server.failures = 0;
    server.until = 0;
  }

  private didFail(server: Server, reason: string): void {
    server.failures += 1;
    server.reason = reason;
    if (server.failures < this.options.failures) return;
    if (server.until === 0) this.report('down', reason);
    server.until = this.now() + this.options.retrySeconds * 1000;
  }
}
