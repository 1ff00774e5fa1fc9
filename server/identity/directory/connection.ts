/** One connection to a directory server, over TLS that is already verified. It never reconnects: what is lost is lost. */
import { once } from 'node:events';
import type { TLSSocket } from 'node:tls';
import { Client, type Entry, InvalidCredentialsError, ResultCodeError, type SearchOptions, UnwillingToPerformError } from 'ldapts';
import { DirectoryDown } from './down';

/** An entry with its attribute names in lower case. */
export interface DirectoryEntry {
  readonly dn: string;
  text(attribute: string): string[];
  bytes(attribute: string): Buffer[];
}

/** How a bind ended; `refused` carries the server's own words. */
export type Bound = { readonly ok: true } | { readonly ok: false; readonly words: string };

/** What one question may be answered with; the client that parses it knows no bound and keeps what is incomplete. An entry with 1,500 groups takes 200 KB. Bytes. */
const LONGEST_ANSWER = 4 * 1024 * 1024;

export class DirectoryConnection {
  private readonly client: Client;
  private lost = false;
  private used = false;
  private answered = 0;

  constructor(
    readonly url: string,
    private readonly socket: TLSSocket,
    answerSeconds: number,
  ) {
    let given = false;
    this.client = new Client({
      url: 'ldap://tls', // the socket below is TLS already; the name is never resolved
      timeout: answerSeconds * 1000,
      createConnection: () => {
        if (given) throw new Error('the connection was lost'); // ldapts would connect anew, in plain text
        given = true;
        socket.on('data', ({ length }: Buffer) => {
          this.answered += length;
          if (this.answered > LONGEST_ANSWER) socket.destroy();
        });
        return socket;
      },
    });
    socket.once('close', () => {
      this.lost = true;
    });
  }

  get alive(): boolean {
    return !this.lost && !this.socket.destroyed;
  }

  /** Binds with a name and a password. An empty password would be no authentication at all (RFC 4513 section 5.1.2) and is refused here. */
  async bind(name: string, password: string): Promise<Bound> {
    if (password === '') return { ok: false, words: 'empty password' };
    try {
      await this.ask(() => this.client.bind(name, password));
      return { ok: true };
    } catch (error) {
      if (error instanceof InvalidCredentialsError || error instanceof UnwillingToPerformError) return { ok: false, words: error.message };
      throw error;
    }
  }

  async search(base: string, options: SearchOptions, binary: readonly string[] = []): Promise<DirectoryEntry[]> {
    const { searchEntries } = await this.ask(() => this.client.search(base, { derefAliases: 'never', ...options, explicitBufferAttributes: [...binary] }));
    return searchEntries.map(readable);
  }

  async close(): Promise<void> {
    if (this.socket.destroyed) return;
    const closed = once(this.socket, 'close');
    await this.client.unbind().catch(() => {});
    this.socket.destroy();
    await closed;
  }

  private async ask<T>(question: () => Promise<T>): Promise<T> {
    this.answered = 0;
    const stale = this.used; // one that has answered before may have been closed since
    try {
      const answer = await question();
      this.used = true;
      return answer;
    } catch (error) {
      if (error instanceof ResultCodeError) {
        this.used = true;
        throw error;
      }
      const timedOut = /timed out/.test((error as Error).message);
      this.socket.destroy();
      if (this.answered > LONGEST_ANSWER) throw new DirectoryDown(`${this.url} answered with more than ${LONGEST_ANSWER} bytes`, false);
      throw new DirectoryDown(timedOut ? `${this.url} does not answer` : `${this.url} closed the connection`, stale && !timedOut);
    }
  }
}

function readable(entry: Entry): DirectoryEntry {
  const attributes = new Map(Object.entries(entry).map(([name, value]) => [name.toLowerCase(), [value].flat() as (string | Buffer)[]]));
  return {
    dn: entry.dn,
    text: (attribute) => (attributes.get(attribute.toLowerCase()) ?? []).map(String),
    bytes: (attribute) => (attributes.get(attribute.toLowerCase()) ?? []).map((value) => (typeof value === 'string' ? Buffer.from(value, 'latin1') : value)),
  };
}
