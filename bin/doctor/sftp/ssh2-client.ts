/** The doctor's door to ssh2's client: host keys, ways of logging in, and a session as a partner's program has it. */
// Before the client, whose key exchange takes the ciphers that are there when it is loaded.
import '../../../server/ssh/transport/ssh2-ciphers';
import type { Socket } from 'node:net';
import type { AuthHandlerMiddleware, ClientChannel, ConnectConfig, NextAuthHandler, SFTPWrapper, Stats } from 'ssh2';
import Client from 'ssh2/lib/client.js';
import constants from 'ssh2/lib/protocol/constants.js';
import { fingerprintOf } from '../../../server/ssh/public-key';
import { sshPolicies } from '../../../server/ssh/transport/policy';
import type { SshCredentials } from './credentials';
import { type Offer, SOFTWARE, type SshTarget } from './offer';

type Algorithms = NonNullable<ConnectConfig['algorithms']>;

/** Host keys that are taken for the server's own. */
export interface Trusted {
  /** Signature algorithms that they prove themselves by. */
  readonly algorithms: readonly string[];
  /** `SHA256:…` */
  readonly fingerprints: readonly string[];
}

/** Algorithms of host keys that the client can be shown one by. */
export const canBeShown = (algorithm: string) => constants.SUPPORTED_SERVER_HOST_KEY.includes(algorithm);

/** Those of the server that the client may use. Throws an Error where there is none. */
function common(offered: readonly string[], usable: readonly string[], words: string): string[] {
  const both = usable.filter((name) => offered.includes(name));
  if (both.length === 0) throw new Error(`of the ${words} that the server offers none can be used here (${offered.join(', ')})`);
  return both;
}

/** MACs may have nothing in common: a cipher that proves integrity itself needs none. */
const macsOf = (offer: Offer, usable: readonly string[]) => common([...offer.macs, 'hmac-sha2-256'], usable, 'MACs');

/** Everything that the client knows, also what is not safe: enough to be shown a host key, to which nothing is entrusted. */
function anything(offer: Offer, hostKey: string): Algorithms {
  return {
    kex: common(offer.keyExchanges, constants.SUPPORTED_KEX, 'key exchanges'),
    serverHostKey: [hostKey],
    cipher: common(offer.ciphers, constants.SUPPORTED_CIPHER, 'ciphers'),
    hmac: macsOf(offer, constants.SUPPORTED_MAC),
  } as Algorithms;
}

/** What a password may be sent by. */
function safe(offer: Offer, hostKeys: readonly string[]): Algorithms {
  const { ciphers, macs } = sshPolicies.modern;
  const keyExchanges = constants.SUPPORTED_KEX.filter((name) => !name.endsWith('-sha1'));
  return {
    kex: common(offer.keyExchanges, keyExchanges, 'key exchanges'),
    serverHostKey: hostKeys,
    cipher: common(offer.ciphers, ciphers, 'ciphers'),
    hmac: macsOf(offer, [...macs, 'hmac-sha1-etm@openssh.com', 'hmac-sha1']),
  } as Algorithms;
}

const verifying = (trusted: Trusted) => (key: Buffer) => trusted.fingerprints.includes(fingerprintOf(key));

const reaching = ({ host, port, timeout }: SshTarget): ConnectConfig => ({ host, port, readyTimeout: timeout, ident: SOFTWARE, strictVendor: false });

/** Ends the connection, also where the other side does not answer the goodbye. */
function leave(client: Client): void {
  client.end();
  // Its own `destroy` leaves a socket alone on which it has said goodbye.
  const { _sock: socket } = client as unknown as { readonly _sock: Socket };
  setTimeout(() => socket.destroy(), 1_000).unref();
}

/** The host key that the server proves itself with by that algorithm. The client leaves when it has seen it. */
export function hostKeyBy(algorithm: string, offer: Offer, target: SshTarget): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    client.on('error', reject).on('close', () => reject(new Error('the server closed the connection')));
    client.connect({
      ...reaching(target),
      username: SOFTWARE,
      algorithms: anything(offer, algorithm),
      hostVerifier: (key: Buffer) => {
        resolve(Buffer.from(key));
        leave(client);
        return false;
      },
    });
  });
}

/** What a name that has shown nothing yet may log in by. `entered`: it is in already. */
export function methodsFor(user: string, offer: Offer, target: SshTarget, trusted: Trusted): Promise<readonly string[] | 'entered'> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    const asking: AuthHandlerMiddleware = (left: readonly string[] | null, _partial, next) => {
      if (left === null) return next({ type: 'none', username: user });
      resolve(left);
      leave(client);
    };
    client
      .on('error', reject)
      .on('close', () => reject(new Error('the server closed the connection at the question for ways of logging in')))
      .on('ready', () => {
        resolve('entered');
        leave(client);
      });
    client.connect({
      ...reaching(target),
      username: user,
      algorithms: safe(offer, trusted.algorithms),
      hostVerifier: verifying(trusted),
      authHandler: asking,
    });
  });
}

export interface Ran {
  /** Whether the server said that it does it. Some say so, and do something else. */
  readonly accepted: boolean;
  readonly output: string;
}

/** A session that is logged in. */
export class SshSession {
  private broken: Error | undefined;
  private readonly breaks: Promise<never>;
  private sftp: SFTPWrapper | undefined;

  private constructor(
    private readonly client: Client,
    private readonly timeout: number,
    /** What the server said the name may log in by, before it has shown anything. */
    readonly methods: readonly string[],
  ) {
    this.breaks = new Promise<never>((_resolve, reject) => {
      const broken = (error?: Error) => {
        this.broken ??= error ?? new Error('the server closed the connection');
        reject(this.broken);
      };
      client.on('error', broken).on('close', () => broken());
    });
    this.breaks.catch(() => {});
  }

  /** Shows key, password, or one after the other, as the server asks for them; each once. Throws an Error in plain words. */
  static open(credentials: SshCredentials, offer: Offer, target: SshTarget, trusted: Trusted): Promise<SshSession> {
    const { user: username, password, privateKey } = credentials;
    return new Promise((resolve, reject) => {
      const client = new Client();
      let methods: readonly string[] = [];
      let [hasKey, hasPassword] = [privateKey !== undefined, password !== undefined];
      const showing = (left: readonly string[] | null, next: NextAuthHandler) => {
        if (left === null) return next({ type: 'none', username });
        if (methods.length === 0) methods = left;
        if (hasKey && left.includes('publickey')) {
          hasKey = false;
          return next({ type: 'publickey', username, key: privateKey! });
        }
        if (hasPassword && left.includes('password')) {
          hasPassword = false;
          return next({ type: 'password', username, password: password! });
        }
        if (hasPassword && left.includes('keyboard-interactive')) {
          hasPassword = false;
          return next({
            type: 'keyboard-interactive',
            username,
            prompt: (_name, _instructions, _language, prompts, finish) => finish(prompts.map(() => password!)),
          });
        }
        reject(new Error(`the server refuses it, and asks for ${left.join(', ') || 'nothing more'}`));
        leave(client);
      };
      client
        .on('error', reject)
        .on('close', () => reject(new Error('the server closed the connection')))
        .on('ready', () => resolve(new SshSession(client, target.timeout, methods)));
      client.connect({
        ...reaching(target),
        username,
        algorithms: safe(offer, trusted.algorithms),
        hostVerifier: verifying(trusted),
        authHandler: (left, _partial, next) => showing(left, next),
      });
    });
  }

  get isBroken(): boolean {
    return this.broken !== undefined;
  }

  async openSftp(): Promise<void> {
    this.sftp = await this.call<SFTPWrapper>((done) => this.client.sftp(done));
  }

  /** Names in the folder that the session begins in. */
  async list(): Promise<string[]> {
    const entries = await this.call<{ readonly filename: string }[]>((done) => this.sftp!.readdir('.', done));
    return entries.map(({ filename }) => filename).filter((name) => name !== '.' && name !== '..');
  }

  write(name: string, content: Buffer): Promise<void> {
    return this.call<void>((done) => this.sftp!.writeFile(name, content, done as () => void));
  }

  read(name: string): Promise<Buffer> {
    return this.call<Buffer>((done) => this.sftp!.readFile(name, done));
  }

  stat(name: string): Promise<Stats> {
    return this.call<Stats>((done) => this.sftp!.stat(name, done));
  }

  remove(name: string): Promise<void> {
    return this.call<void>((done) => this.sftp!.unlink(name, done as () => void));
  }

  command(line: string): Promise<Ran> {
    return this.run((done) => this.client.exec(line, done));
  }

  shell(lines: string): Promise<Ran> {
    return this.run((done) => this.client.shell(false, done), lines);
  }

  /** Whether the server would connect to that port of its own for the client; it is closed at once. */
  async forwardsTo(port: number): Promise<boolean> {
    try {
      const channel = await this.call<ClientChannel>((done) => this.client.forwardOut('127.0.0.1', 0, '127.0.0.1', port, done));
      channel.on('error', () => {}).close();
      return true;
    } catch (error) {
      // It tried, and failed there (RFC 4254 section 5.1).
      return (error as { reason?: unknown }).reason === CONNECT_FAILED;
    }
  }

  /** Whether the server would listen on its loopback for the client; it stops at once. */
  async forwardsFrom(): Promise<boolean> {
    try {
      const port = await this.call<number>((done) => this.client.forwardIn('127.0.0.1', 0, done));
      await this.call<void>((done) => this.client.unforwardIn('127.0.0.1', port, done as () => void));
      return true;
    } catch {
      return false;
    }
  }

  end(): void {
    leave(this.client);
  }

  private async run(start: (done: (error: Error | undefined, channel: ClientChannel) => void) => void, input = ''): Promise<Ran> {
    let channel: ClientChannel;
    try {
      channel = await this.call<ClientChannel>(start);
    } catch {
      return { accepted: false, output: '' };
    }
    let output = '';
    const add = (chunk: Buffer) => {
      output += chunk.toString('latin1');
    };
    const ended = this.call<void>((done) => {
      channel
        .on('data', add)
        .on('error', () => {})
        .on('close', () => done(undefined, undefined));
      channel.stderr.on('data', add);
      channel.end(input);
    });
    // Whoever does not end is not waited for: what was printed has been seen.
    await ended.catch(() => channel.close());
    return { accepted: true, output };
  }

  /** Throws where there is no answer in time, or the connection breaks. */
  private async call<Result>(act: (done: (error: Error | null | undefined, result: Result) => void) => void): Promise<Result> {
    if (this.broken) throw this.broken;
    let timer: NodeJS.Timeout | undefined;
    const answered = new Promise<Result>((resolve, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer within ${this.timeout / 1000} seconds`)), this.timeout);
      act((error, result) => (error ? reject(error) : resolve(result)));
    });
    return Promise.race([answered, this.breaks]).finally(() => clearTimeout(timer));
  }
}

const CONNECT_FAILED = 2;
