/** A real server with SFTP on, and clients for it. */
// Before ssh2 itself, which takes the ciphers that are there when it is loaded.
import '../../../server/ssh/transport/ssh2-ciphers';
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client, type ConnectConfig, type SFTPWrapper } from 'ssh2';
import type { SftpConfig } from '../../../server/config';
import { type Overrides, PASSWORD, type TestAccount, type TestServer, testServer } from '../support/server';

export interface SftpServed extends TestServer {
  readonly sftpPort: number;
  /** A client that is logged in. */
  connect(options?: ConnectConfig): Promise<Client>;
  /** One with SFTP open. */
  sftp(options?: ConnectConfig): Promise<Sftp>;
}

export async function sftpServed(
  { sftp, ...overrides }: Omit<Overrides, 'sftp'> & { readonly sftp?: Partial<SftpConfig> } = {},
  accounts?: readonly TestAccount[],
): Promise<SftpServed> {
  const folder = mkdtempSync(join(tmpdir(), 'ftps-ssh-'));
  const file = join(folder, 'host.pem');
  writeFileSync(file, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }));
  const served = await testServer({ ...overrides, sftp: { host: '127.0.0.1', port: 0, hostKeys: [{ kind: 'file', file }], ...sftp } }, accounts);
  const sftpPort = served.server.listeners.find(({ mode }) => mode === 'sftp')!.port;
  const clients = new Set<Client>();
  const connect = async (options: ConnectConfig = {}) => {
    const client = new Client();
    clients.add(client);
    client.on('error', () => {});
    client.connect({ host: '127.0.0.1', port: sftpPort, username: 'demo', password: PASSWORD, ...options });
    await new Promise<void>((resolve, reject) => client.once('ready', resolve).once('error', reject));
    return client;
  };
  return {
    ...served,
    sftpPort,
    connect,
    sftp: async (options) => new Sftp(await connect(options)).open(),
    close: async () => {
      for (const client of clients) client.destroy();
      await served.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** ssh2's own client of SFTP, with promises. */
export class Sftp {
  raw!: SFTPWrapper;

  constructor(readonly client: Client) {}

  async open(): Promise<this> {
    this.raw = await promisify(this.client.sftp.bind(this.client))();
    return this;
  }

  async put(path: string, content: Buffer | string, flags: 'w' | 'a' | 'wx' | 'r+' = 'w', start?: number): Promise<void> {
    const stream = this.raw.createWriteStream(path, { flags, ...(start === undefined ? {} : { start }) } as never);
    stream.end(content);
    await once(stream, 'close');
  }

  async get(path: string, start = 0): Promise<Buffer> {
    const chunks: Buffer[] = [];
    for await (const chunk of this.raw.createReadStream(path, { start } as never)) chunks.push(chunk as Buffer);
    return Buffer.concat(chunks);
  }

  call<Result = unknown>(method: string & keyof SFTPWrapper, ...args: readonly unknown[]): Promise<Result> {
    const wrapper = this.raw as unknown as Record<string, (...all: readonly unknown[]) => void>;
    return new Promise((resolve, reject) =>
      wrapper[method]!(...args, (error: Error | undefined, result: Result) => {
        if (error) reject(error);
        else resolve(result);
      }),
    );
  }

  async end(): Promise<void> {
    this.client.end();
    await once(this.client, 'close');
  }
}
