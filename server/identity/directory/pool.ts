/** Connections that are used again; one login at a time on each, no more than so many at once. */
import { DirectoryDown } from './down';

export interface Pooled {
  readonly alive: boolean;
  close(): Promise<void>;
}

export class Pool<Connection extends Pooled> {
  private readonly idle: Connection[] = [];
  private readonly waiting: (() => void)[] = [];
  private busy = 0;
  private closed = false;
  /** Connections of an earlier one are not used again. */
  private generation = 0;

  constructor(
    private readonly open: () => Promise<Connection>,
    private readonly most: number,
    private readonly waitSeconds: number,
  ) {}

  /** Does the work on a connection. One that turns out to have been closed while it lay idle is replaced, once. */
  async use<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    await this.place();
    try {
      const kept = this.takeIdle();
      if (kept) {
        try {
          return await this.run(kept, work, this.generation);
        } catch (error) {
          if (!(error instanceof DirectoryDown && error.wasStale)) throw error;
          await this.closeIdle(); // the others went with it
        }
      }
      const { generation } = this;
      return await this.run(await this.open(), work, generation);
    } finally {
      this.busy -= 1;
      this.waiting.shift()?.();
    }
  }

  /** Has every connection opened anew: closes what lies idle now, and what is in use as soon as it no longer is. */
  async renew(): Promise<void> {
    this.generation += 1;
    await this.closeIdle();
  }

  /** Closes what lies idle now, and what is in use as soon as it no longer is. */
  async close(): Promise<void> {
    this.closed = true;
    await this.closeIdle();
  }

  private async run<T>(connection: Connection, work: (connection: Connection) => Promise<T>, generation: number): Promise<T> {
    try {
      return await work(connection);
    } finally {
      if (this.closed || generation !== this.generation) await connection.close();
      else if (connection.alive) this.idle.push(connection);
    }
  }

  private takeIdle(): Connection | undefined {
    for (let connection = this.idle.pop(); connection; connection = this.idle.pop()) if (connection.alive) return connection;
    return undefined;
  }

  private async closeIdle(): Promise<void> {
    await Promise.all(this.idle.splice(0).map((connection) => connection.close()));
  }

  /** Waits for one of the places, in order. */
  private async place(): Promise<void> {
    if (this.busy >= this.most) {
      await new Promise<void>((resolve, reject) => {
        const granted = () => {
          clearTimeout(timer);
          resolve();
        };
        const timer = setTimeout(() => {
          this.waiting.splice(this.waiting.indexOf(granted), 1);
          reject(new DirectoryDown(`all ${this.most} connections to the directory are busy`));
        }, this.waitSeconds * 1000);
        this.waiting.push(granted);
      });
    }
    this.busy += 1;
  }
}
