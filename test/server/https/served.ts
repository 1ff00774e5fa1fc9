/** A real server with HTTPS on, and clients for it. */
import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { ServerConfigInput } from '../../../server/config';
import { type Overrides, PASSWORD, type TestAccount, type TestServer, testServer } from '../support/server';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: Buffer;
  /** Of a body that is JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: what it has is what the test says
  readonly json: any;
}

export interface Asking {
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON where it is no bytes. */
  readonly body?: unknown;
}

/** A client with one connection that stays open. */
export class HttpsClient {
  private readonly agent;
  cookie: string | undefined;

  constructor(
    private readonly port: number,
    options: ConnectionOptions,
  ) {
    this.agent = new Agent({ keepAlive: true, maxSockets: 1, ...options });
  }

  async ask(method: string, path: string, { headers = {}, body }: Asking = {}): Promise<Answer> {
    const bytes = body === undefined ? undefined : Buffer.isBuffer(body) ? body : Buffer.from(JSON.stringify(body));
    const asked = request({
      host: '127.0.0.1',
      servername: 'localhost',
      port: this.port,
      agent: this.agent,
      method,
      path,
      headers: {
        ...(this.cookie ? { cookie: this.cookie } : {}),
        ...(bytes && !headers['transfer-encoding'] ? { 'content-length': String(bytes.length) } : {}),
        ...(bytes && !Buffer.isBuffer(body) ? { 'content-type': 'application/json' } : {}),
        ...headers,
      },
    });
    asked.end(bytes);
    const [response] = await once(asked, 'response');
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const all = Buffer.concat(chunks);
    const isJson = /json/.test(response.headers['content-type'] ?? '');
    return { status: response.statusCode, headers: response.headers, body: all, json: isJson && all.length > 0 ? JSON.parse(all.toString()) : undefined };
  }

  async signIn(user = 'demo', password = PASSWORD): Promise<Answer> {
    const answer = await this.ask('POST', '/api/v1/sign-in', { body: { user, password } });
    const [cookie] = (answer.headers['set-cookie'] as unknown as string[] | undefined) ?? [];
    if (cookie) this.cookie = cookie.split(';', 1)[0];
    return answer;
  }

  close(): void {
    this.agent.destroy();
  }
}

export interface HttpsServed extends TestServer {
  readonly httpsPort: number;
  /** `localAddress`: where the client is. */
  connect(options?: ConnectionOptions & { readonly localAddress?: string }): HttpsClient;
  /** One that has signed in. */
  signedIn(user?: string): Promise<HttpsClient>;
  /** Sends bytes as they are, and answers with all that comes until the server closes. */
  raw(bytes: string | Buffer): Promise<string>;
  /** A connection in a test's own hands. */
  socket(options?: ConnectionOptions): Promise<TLSSocket>;
}

export async function httpsServed(
  { https, ...overrides }: Omit<Overrides, 'https'> & { readonly https?: Partial<NonNullable<ServerConfigInput['https']>> } = {},
  accounts?: readonly TestAccount[],
): Promise<HttpsServed> {
  const served = await testServer({ ...overrides, https: { host: '127.0.0.1', port: 0, ...https } }, accounts);
  const httpsPort = served.server.listeners.find(({ mode }) => mode === 'https')!.port;
  const clients: HttpsClient[] = [];
  const sockets: TLSSocket[] = [];
  const own = { ca: served.authority.pem };
  const client = (options: ConnectionOptions = {}) => {
    const one = new HttpsClient(httpsPort, { ...own, ...options });
    clients.push(one);
    return one;
  };
  const socket = async (options: ConnectionOptions = {}) => {
    const one = connect({ host: '127.0.0.1', port: httpsPort, servername: 'localhost', ...own, ...options });
    one.on('error', () => {});
    sockets.push(one);
    await once(one, 'secureConnect');
    return one;
  };
  return {
    ...served,
    httpsPort,
    connect: client,
    socket,
    async signedIn(user) {
      const one = client();
      const { status } = await one.signIn(user);
      if (status !== 201) throw new Error(`signing in was answered ${status}`);
      return one;
    },
    async raw(bytes) {
      const one = await socket();
      one.write(bytes);
      let text = '';
      one.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
      });
      await once(one, 'close');
      return text;
    },
    async close() {
      for (const one of clients) one.close();
      for (const one of sockets) one.destroy();
      await served.close();
    },
  };
}
