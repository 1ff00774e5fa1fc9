/** SSH by hand, on top of ssh2's client: any payload can be sent, also one that no client would send, and it is known when the server has dealt with it. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Client, type ConnectConfig, type SFTPWrapper } from 'ssh2';
import { WireWriter } from '../../../server/ssh/wire';
import { Hang } from './fuzzed';

interface Cipher {
  encrypt(packet: Buffer): void;
}
interface Protocol {
  _cipher: Cipher;
  readonly _packetRW: { readonly write: { readonly allocStart: number; alloc(size: number): Buffer; finalize(packet: Buffer): Buffer } };
  readonly _handlers: Record<string, (protocol: unknown, ...rest: never[]) => void>;
}
const protocolOf = (client: Client) => (client as unknown as { readonly _protocol: Protocol })._protocol;

/** How long the server may take for what was sent before. Milliseconds. */
const PATIENCE_MS = 20_000;
const AGAIN_MS = 100;

/** What is sent by a client that does what clients do: payloads of packets, before and after there are keys. */
export async function recorded(port: number, login: ConnectConfig, act: (client: Client, sftp: SFTPWrapper) => Promise<void>): Promise<Buffer[]> {
  const payloads: Buffer[] = [];
  const client = new Client();
  client.on('error', () => {});
  client.on('keyboard-interactive', (_name, _instructions, _language, _prompts, finish) => finish([login.password ?? '']));
  client.connect({ host: '127.0.0.1', port, ...login });
  const protocol = protocolOf(client);
  const watch = (cipher: Cipher): Cipher => {
    const encrypt = cipher.encrypt.bind(cipher);
    cipher.encrypt = (packet) => {
      payloads.push(Buffer.from(packet.subarray(5, 4 + packet.readUInt32BE(0) - packet[4]!)));
      encrypt(packet);
    };
    return cipher;
  };
  let current = watch(protocol._cipher);
  Object.defineProperty(protocol, '_cipher', {
    get: () => current,
    set: (next: Cipher) => {
      current = watch(next);
    },
  });
  await once(client, 'ready');
  const sftp = await new Promise<SFTPWrapper>((resolve, reject) => client.sftp((error, opened) => (error ? reject(error) : resolve(opened))));
  await act(client, sftp);
  client.end();
  await once(client, 'close');
  return payloads;
}

export class SshWire {
  closed = false;
  private wake: (() => void) | undefined;
  private refusedChannel = -1;
  private probes = 0;
  /** Of the channel by hand: its number at the server, what has come on it, and what may still be sent. */
  channel = -1;
  channelClosed = false;
  /** Whether a login was accepted: a recorded one, sent as it was. What is asked after that is passed over in silence. */
  private isIn = false;
  private stream = Buffer.alloc(0);
  private room = 0;
  /** Numbers of the SFTP requests that were answered, of those that are waited for. */
  private answered = -1;
  private pieces = 0;

  private constructor(private readonly client: Client) {
    client.on('close', () => {
      this.closed = true;
      this.wake?.();
    });
    const on = protocolOf(client)._handlers;
    for (const name of Object.keys(on)) if (/^(CHANNEL|REQUEST|GLOBAL)/.test(name)) on[name] = () => {};
    on.CHANNEL_OPEN_FAILURE = (_protocol, recipient: number) => {
      this.refusedChannel = recipient;
      this.wake?.();
    };
    on.CHANNEL_OPEN_CONFIRMATION = (_protocol, { sender, window }: { sender: number; window: number }) => {
      this.channel = sender;
      this.room = window;
      this.wake?.();
    };
    on.CHANNEL_WINDOW_ADJUST = (_protocol, _recipient, more: number) => {
      this.room += more;
    };
    on.CHANNEL_CLOSE = () => {
      this.channelClosed = true;
      this.wake?.();
    };
    on.CHANNEL_DATA = (_protocol, _recipient, data: Buffer) => this.take(data);
    on.USERAUTH_SUCCESS = () => {
      this.isIn = true;
      this.wake?.();
    };
    on.USERAUTH_FAILURE = () => {
      this.answered += 1;
      this.wake?.();
    };
  }

  /** A connection whose keys are agreed on; logged in where a password is given. */
  static async open(port: number, password?: string): Promise<SshWire> {
    const client = new Client();
    client.on('error', () => {});
    const when = password === undefined ? 'handshake' : 'ready';
    client.connect({
      host: '127.0.0.1',
      port,
      username: 'demo',
      readyTimeout: 0,
      algorithms: { cipher: ['aes128-gcm@openssh.com'] },
      ...(password === undefined ? { authHandler: () => {} } : { password }),
    } as ConnectConfig);
    await new Promise<void>((resolve, reject) => {
      client.once(when as 'ready', resolve);
      client.once('close', () => reject(new Error('the connection was closed')));
    });
    // Those of this server put their own padding in place of the one that is sent.
    if ('seal' in protocolOf(client)._cipher) throw new Error("ssh2 has the server's ciphers: something that this test imports loads the server");
    return new SshWire(client);
  }

  get socket(): Socket {
    return (this.client as unknown as { readonly _sock: Socket })._sock;
  }

  /** Sends a payload, in a packet that says it has so much padding, where that is given. */
  send(payload: Buffer, padding?: number): void {
    if (this.closed || this.socket.destroyed) return;
    const protocol = protocolOf(this.client);
    const { write } = protocol._packetRW;
    const at = write.allocStart;
    const packet = write.alloc(payload.length);
    packet.set(payload, at);
    if (padding !== undefined && at === 5) packet[4] = padding;
    protocol._cipher.encrypt(write.finalize(packet));
  }

  /** Whether the server has dealt with everything that was sent and goes on; false where it has closed. After the login. */
  async dealtWith(): Promise<boolean> {
    this.probes += 1;
    const probe = 0x7000_0000 + this.probes;
    this.send(new WireWriter().byte(90).string('probe').uint32(probe).uint32(0).uint32(0).done());
    await this.until(() => this.closed || this.refusedChannel === probe);
    return !this.closed;
  }

  /** The same before the login, where each question is one of the tries. */
  async refusedAgain(): Promise<boolean> {
    const before = this.answered;
    this.send(new WireWriter().byte(50).string('demo').string('ssh-connection').string('none').done());
    await this.until(() => this.closed || this.isIn || this.answered > before);
    return !this.closed && !this.isIn;
  }

  /** A channel by hand, with what is asked for on it. */
  async openChannel(request: 'subsystem' | 'exec', what: string): Promise<void> {
    this.send(new WireWriter().byte(90).string('session').uint32(1).uint32(0x7fff_ffff).uint32(32_768).done());
    await this.until(() => this.closed || this.channel >= 0);
    this.send(new WireWriter().byte(98).uint32(this.channel).string(request).boolean(false).string(what).done());
  }

  /** Sends on the channel what still fits into its window; false where it does not. */
  write(bytes: Buffer): boolean {
    if (this.room < bytes.length) return false;
    this.room -= bytes.length;
    for (let at = 0; at < bytes.length; at += 32_768)
      this.send(
        new WireWriter()
          .byte(94)
          .uint32(this.channel)
          .string(bytes.subarray(at, at + 32_768))
          .done(),
      );
    return true;
  }

  /** Whether SFTP has dealt with what was sent and goes on; false where the channel or the connection is closed. */
  async sftpAnswered(): Promise<boolean> {
    this.probes += 1;
    const probe = 0xf000_0000 + this.probes;
    const request = () => new WireWriter().uint32(10).byte(16).uint32(probe).string('/').done();
    this.write(request());
    // A request that says it is longer than it is takes what follows for a part of itself, and rightly so: ask again, with much. Then any answer will do,
    // for where the next request begins is a matter of taste.
    let asked = Number.POSITIVE_INFINITY;
    const again = setInterval(() => {
      asked = Math.min(asked, this.pieces);
      this.write(Buffer.concat(Array.from({ length: 4_096 }, request)));
    }, AGAIN_MS);
    await this.until(() => this.closed || this.channelClosed || this.answered === probe || this.pieces > asked).finally(() => clearInterval(again));
    return !this.closed && !this.channelClosed;
  }

  async channelGone(): Promise<void> {
    await this.until(() => this.closed || this.channelClosed);
  }

  close(): void {
    this.client.destroy();
  }

  private take(data: Buffer): void {
    this.pieces += 1;
    this.stream = Buffer.concat([this.stream, data]);
    while (this.stream.length >= 4) {
      const length = this.stream.readUInt32BE(0);
      if (this.stream.length < 4 + length) break;
      if (length >= 5) this.answered = Math.max(this.answered, this.stream.readUInt32BE(5) >= 0xf000_0000 ? this.stream.readUInt32BE(5) : -1);
      this.stream = this.stream.subarray(4 + length);
    }
    this.wake?.();
  }

  private until(done: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.wake = undefined;
        reject(new Hang(`nothing came for ${PATIENCE_MS / 1000} s`));
      }, PATIENCE_MS);
      this.wake = () => {
        if (!done()) return;
        this.wake = undefined;
        clearTimeout(timer);
        resolve();
      };
      this.wake();
    });
  }
}
