/** Logging in (RFC 4252): passwords, keys, keyboard-interactive (RFC 4256), one request after the other in the order in which they came. */
import type { KeyObject } from 'node:crypto';
import { type Certificate, isCertificate, plainName, readCertificate } from '../certificates/certificate';
import { messages } from '../connection/messages';
import { isOdd, isSignedBy, keyTypeOf, readPublicKey } from '../public-key';
import { MalformedPacket, WireReader, WireWriter } from '../wire';

/** A key that a client offers, or has proven to have. */
export interface OfferedKey {
  /** The key by itself, as SSH writes it. */
  readonly blob: Buffer;
  /** Where it comes in one; nothing in it has been checked. */
  readonly certificate?: Certificate;
  readonly isProven: boolean;
}

export interface LoginRequest {
  readonly user: string;
  readonly password?: string;
  readonly key?: OfferedKey;
}

/**
 * What comes of a request.
 * - `accepted`: the client is in.
 * - `acceptable`: the key is one of the account's; it has to be proven.
 * - `more`: that was right; something else is needed as well.
 * - `refused`, and `over`, after which the connection is closed.
 */
export type Answer = 'accepted' | 'acceptable' | 'more' | 'refused' | 'over';

export interface LoginDoor {
  /** Never throws. Asked about one request at a time. */
  ask(request: LoginRequest): Promise<Answer>;
}

export interface LoginLink {
  send(...parts: readonly Uint8Array[]): void;
  /** Ends the connection: the client broke the protocol, or has tried too often. */
  end(reason: 'broken' | 'too-many-tries'): void;
  readonly sessionId: Buffer;
}

/** Names are at most so long, as in FTPS. Bytes. */
const LONGEST_NAME = 256;
const LONGEST_PASSWORD = 1_024;

export class UserAuthentication {
  private service: 'none' | 'asked' = 'none';
  private tries = 0;
  private user: string | undefined;
  /** Whether a key was proven for this user, and a password is still needed. */
  private hasKey = false;
  private awaitsResponse = false;

  constructor(
    private readonly link: LoginLink,
    private readonly door: LoginDoor,
    private readonly options: { readonly mostTries: number; readonly algorithms: readonly string[]; readonly banner?: string },
  ) {}

  /** Takes a packet; fulfilled when it was answered. True once the client is in. Throws MalformedPacket. */
  async packet(payload: Buffer): Promise<boolean> {
    const reader = new WireReader(payload, 1);
    if (payload[0] === messages.serviceRequest) {
      this.serviceRequest(reader);
      return false;
    }
    if (this.service === 'none') throw new MalformedPacket();
    if (payload[0] === messages.userAuthRequest) return this.request(reader, payload);
    if (payload[0] === messages.userAuthInfoResponse && this.awaitsResponse) return this.response(reader);
    throw new MalformedPacket();
  }

  private serviceRequest(reader: WireReader): void {
    // Some ask again before each way of logging in, as paramiko does after a key.
    if (reader.text() !== 'ssh-userauth') throw new MalformedPacket();
    this.service = 'asked';
    this.link.send(new WireWriter().byte(messages.serviceAccept).string('ssh-userauth').done());
  }

  private async request(reader: WireReader, payload: Buffer): Promise<boolean> {
    this.awaitsResponse = false;
    const user = reader.text();
    const service = reader.text();
    const method = reader.text();
    if (service !== 'ssh-connection' || Buffer.byteLength(user) > LONGEST_NAME) throw new MalformedPacket();
    if (user !== this.user) this.hasKey = false; // what was proven was proven for another
    this.user = user;
    if (method === 'none') {
      // Clients ask so what there is; the first time that costs nothing.
      if (this.tries > 0) return this.refuse();
      this.tries += 1;
      this.failure(false);
      return false;
    }
    if (method === 'publickey' && !this.hasKey) return this.publicKey(user, reader, payload);
    if (method === 'password') {
      const isChange = reader.boolean();
      const password = reader.text();
      return isChange ? this.refuse() : this.password(user, password);
    }
    if (method === 'keyboard-interactive') {
      this.awaitsResponse = true;
      this.link.send(new WireWriter().byte(messages.userAuthInfoRequest).string('').string('').string('').uint32(1).string('Password: ').boolean(false).done());
      return false;
    }
    return this.refuse();
  }

  private async response(reader: WireReader): Promise<boolean> {
    this.awaitsResponse = false;
    if (reader.uint32() !== 1) throw new MalformedPacket();
    return this.password(this.user!, reader.text());
  }

  private async password(user: string, password: string): Promise<boolean> {
    if (Buffer.byteLength(password) > LONGEST_PASSWORD) return this.refuse();
    return this.settle(await this.door.ask({ user, password }));
  }

  private async publicKey(user: string, reader: WireReader, payload: Buffer): Promise<boolean> {
    const isSigned = reader.boolean();
    const algorithm = reader.text();
    const blob = Buffer.from(reader.string());
    const signedUpTo = reader.at;
    const plain = plainName(algorithm);
    if (!this.options.algorithms.includes(plain)) return this.refuse();
    let key: KeyObject;
    let certificate: Certificate | undefined;
    try {
      const type = new WireReader(blob).text();
      if (isCertificate(type) !== isCertificate(algorithm) || plainName(type) !== keyTypeOf(plain)) return this.refuse();
      certificate = isCertificate(type) ? readCertificate(blob) : undefined;
      key = certificate?.key ?? readPublicKey(blob);
      if (isOdd(key)) return this.refuse();
    } catch {
      return this.refuse();
    }
    if (isSigned) {
      const signature = reader.string();
      const data = Buffer.concat([new WireWriter().string(this.link.sessionId).done(), payload.subarray(0, signedUpTo)]);
      let isRight: boolean;
      try {
        isRight = isSignedBy(key, plain, data, signature);
      } catch {
        isRight = false;
      }
      if (!isRight) return this.refuse();
    }
    const answer = await this.door.ask({ user, key: { blob: certificate?.keyBlob ?? blob, certificate, isProven: isSigned } });
    if (answer === 'acceptable') {
      this.tries += 1;
      if (this.isTooOften()) return false;
      this.link.send(new WireWriter().byte(messages.userAuthKeyOk).string(algorithm).string(blob).done());
      return false;
    }
    return this.settle(answer);
  }

  private settle(answer: Answer): boolean {
    if (answer === 'over') {
      this.failure(false);
      this.link.end('too-many-tries');
      return false;
    }
    if (answer === 'more') {
      this.hasKey = true;
      this.failure(true);
      return false;
    }
    if (answer !== 'accepted') return this.refuse();
    this.link.send(Buffer.from([messages.userAuthSuccess]));
    return true;
  }

  private refuse(): boolean {
    this.tries += 1;
    if (!this.isTooOften()) this.failure(false);
    return false;
  }

  private isTooOften(): boolean {
    if (this.tries <= this.options.mostTries) return false;
    this.link.end('too-many-tries');
    return true;
  }

  /** The list is the same for everybody, so that it tells nothing of an account; but who has proven a key knows that it is theirs. */
  private failure(isPartial: boolean): void {
    const methods = this.hasKey ? 'password,keyboard-interactive' : 'publickey,password,keyboard-interactive';
    this.link.send(new WireWriter().byte(messages.userAuthFailure).string(methods).boolean(isPartial).done());
  }
}
