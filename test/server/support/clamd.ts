/** The other side of INSTREAM, for what a real clamd can't be made to do at will. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Speaks clamd's side of INSTREAM; what is answered, and when, is the test's. */
export class ClamdPeer {
  readonly received: Buffer[] = [];
  connections = 0;
  most = 0;
  /** Nothing is answered where it gives nothing. */
  answer: (content: Buffer) => string | undefined = (content) => (content.includes('EVIL') ? 'stream: Evil.Test FOUND' : 'stream: OK');
  onBytes: (socket: Socket, bytes: number) => void = () => {};

  private constructor(
    readonly path: string,
    private readonly server: Server,
  ) {}

  static async listen(path = join(tmpdir(), `ftps-clamd-${randomBytes(6).toString('hex')}`)): Promise<ClamdPeer> {
    const server = createServer();
    const peer = new ClamdPeer(path, server);
    server.on('connection', (socket) => peer.serve(socket));
    server.listen(peer.path);
    await once(server, 'listening');
    return peer;
  }

  private serve(socket: Socket): void {
    const chunks: Buffer[] = [];
    let length = 0;
    this.connections += 1;
    this.most = Math.max(this.most, this.connections);
    socket
      .on('error', () => {})
      .on('close', () => {
        this.connections -= 1;
      });
    socket.on('data', (chunk) => {
      chunks.push(chunk as Buffer);
      length += chunk.length;
      this.onBytes(socket, length);
      if (chunk.at(-1) !== 0) return;
      const bytes = Buffer.concat(chunks);
      if (bytes.toString() === 'zVERSION\0') return socket.end('ClamAV 1.4.3/27789/Tue Oct 14 09:42:10 2025\0');
      const content = streamed(bytes);
      if (!content) return;
      this.received.push(content);
      const answer = this.answer(content);
      if (answer !== undefined) socket.end(`${answer}\0`);
    });
  }

  async close(): Promise<void> {
    await new Promise((resolve) => this.server.close(resolve));
  }
}

/** The content of a whole stream, undefined while it has no end. */
function streamed(bytes: Buffer): Buffer | undefined {
  const pieces: Buffer[] = [];
  for (let at = 'zINSTREAM\0'.length; at + 4 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    if (length === 0) return Buffer.concat(pieces);
    pieces.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return undefined;
}
