/** Certificates in files of a folder of their own, and TLS clients that look at what is served. */
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { type Issued, TestAuthority } from './authority';

export class CertificateFolder {
  private constructor(
    readonly folder: string,
    readonly authority: TestAuthority,
  ) {}

  static async create(): Promise<CertificateFolder> {
    return new CertificateFolder(await mkdtemp(join(tmpdir(), 'ftps-certificates-')), await TestAuthority.create());
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  /** Writes `name.pem` and `name.key` the way tools do, by renaming, and answers with the setting that serves them. */
  async put(name: string, { certificate, key }: Pick<Issued, 'certificate' | 'key'>): Promise<{ kind: 'file'; certificate: string; key: string }> {
    await this.write(`${name}.key`, key);
    await this.write(`${name}.pem`, certificate);
    return { kind: 'file', certificate: this.path(`${name}.pem`), key: this.path(`${name}.key`) };
  }

  /** Writes a file and answers with its path. */
  async write(name: string, content: string): Promise<string> {
    await writeFile(this.path(`.${name}`), content);
    await rename(this.path(`.${name}`), this.path(name));
    return this.path(name);
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}

/** Fulfilled when the handshake is done, with what was stapled to it in `stapled`; rejected with what went wrong. */
export function handshake(port: number, options: ConnectionOptions = {}): Promise<TLSSocket & { stapled?: Buffer | null }> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ...options }, () => resolve(socket));
    socket.on('OCSPResponse', (answer: Buffer | null) => Object.assign(socket, { stapled: answer }));
    socket.on('error', reject);
  });
}

/** The serial number of the certificate that is served. */
export async function servedSerial(port: number, options: ConnectionOptions = {}): Promise<string> {
  const socket = await handshake(port, options);
  const { serialNumber } = socket.getPeerX509Certificate()!;
  socket.destroy();
  return serialNumber.toLowerCase();
}
