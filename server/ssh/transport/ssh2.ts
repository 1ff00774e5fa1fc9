/**
 * The server's one door to ssh2 1.17.0. It supplies the identification, the negotiation and the key exchange (RFC 4253 sections 4.2, 7 and 8); its server, its
 * channels, its logins, its ciphers and its SFTP never run. Each internal relied on has a test in test/server/ssh/transport/ssh2.test.ts, and the version is pinned.
 */
import './ssh2-ciphers';
import kex from 'ssh2/lib/protocol/kex.js';
import keyParser from 'ssh2/lib/protocol/keyParser.js';
import Protocol, { type Negotiated } from 'ssh2/lib/protocol/Protocol.js';
import utils from 'ssh2/lib/protocol/utils.js';
import { hasMlKem, mlKemExchange } from './ml-kem';
import { PacketCipher } from './packet-cipher';
import { ML_KEM, type SshPolicy } from './policy';

export type { Negotiated };

/** A host key, as the key exchange asks for it. */
export interface KeyExchangeKey {
  /** Type of the key, for example `ssh-rsa`. */
  readonly type: string;
  getPublicSSH(): Buffer;
  /** `algorithm` is the hash of an RSA signature, absent for other keys. */
  sign(data: Buffer, algorithm?: string): Buffer;
}

export interface ProtocolEvents {
  /** Bytes for the socket, one packet a call. */
  write(bytes: Buffer): void;
  /** The same for a packet that is yet to be made: where it is to lie. It is whole when the call that asked for it is over. */
  space(size: number): Buffer;
  /** Keys are agreed on: after connecting, and after each rekeying. */
  established(negotiated: Negotiated): void;
  /** A packet that does not belong to a key exchange. */
  packet(payload: Buffer): void;
  /** The client wants new keys. False where it may not. */
  mayExchange(): boolean;
  /** Whether what follows a packet has to wait. */
  readonly mustWait: boolean;
  /** The client can't be understood or agreed with; nothing more can be sent. */
  failed(error: Error): void;
}

/** Whether this build and this Node.js can do the post-quantum key exchange. */
const offersMlKem = hasMlKem && kex.addKeyExchange !== undefined;
if (offersMlKem) kex.addKeyExchange?.(ML_KEM, mlKemExchange);

const KEXINIT = 20;
const DISCONNECT = 1;

/** One end of an SSH connection, from the identification up to where packets go to and fro. */
export class SshProtocol {
  private readonly protocol: Protocol;
  private over = false;
  /** Whether the client has asked to be told of extensions. */
  wantsExtensions = false;

  constructor(
    options: { readonly hostKeys: ReadonlyMap<string, KeyExchangeKey>; readonly policy: SshPolicy; readonly software: string },
    private readonly events: ProtocolEvents,
  ) {
    const { policy, hostKeys } = options;
    const one = { cipher: policy.ciphers, mac: policy.macs, compress: ['none'], lang: [] };
    const protocol = new Protocol({
      server: true,
      hostKeys: Object.fromEntries(hostKeys),
      ident: options.software,
      offer: new kex.KexInit({
        kex: [...policy.keyExchanges.filter((name) => name !== ML_KEM || offersMlKem), 'kex-strict-s-v00@openssh.com'],
        serverHostKey: policy.hostKeys.filter((name) => hostKeys.has(name)),
        cs: one,
        sc: one,
      }),
      onWrite: events.write,
      onError: (error) => this.fail(error, events),
      onHeader: () => {},
      onHandshakeComplete: events.established,
      messageHandlers: { DISCONNECT: () => this.fail(new Error('the client disconnected'), events) },
    });
    // What it says by itself of signatures that it takes has a comma missing, and names SHA-1; `established` says it right.
    const complete = protocol._onHandshakeComplete;
    protocol._onHandshakeComplete = (negotiated) => {
      this.wantsExtensions = protocol._kex.remoteExtInfoEnabled;
      protocol._kex.remoteExtInfoEnabled = false;
      complete(negotiated);
    };
    const own = protocol._onPayload;
    protocol._onPayload = (payload) => {
      if (payload.length === 0) return undefined;
      if (payload[0] === KEXINIT && !this.isExchangingKeys && !events.mayExchange()) this.fail(new Error('New keys are asked for too often'), events);
      else if (payload[0] === KEXINIT || payload[0] === DISCONNECT) return own(payload);
      else events.packet(payload);
      return this.over ? Number.POSITIVE_INFINITY : undefined;
    };
    this.protocol = protocol;
  }

  /** Says who this is. */
  start(): void {
    this.protocol.start();
  }

  /**
   * Takes bytes of the client; the first ones are its whole identification. Answers how many were taken: fewer than there are where a packet was the
   * last that may be looked at for now. Throws where they can't be what they should.
   */
  parse(bytes: Buffer): number {
    let at = 0;
    do at = this.protocol._parse(bytes, at, bytes.length) ?? bytes.length;
    while (at < bytes.length && !this.over && !this.events.mustWait);
    return Math.min(at, bytes.length);
  }

  /** Of the first key exchange: what signatures are made over (RFC 4252 section 7). */
  get sessionId(): Buffer {
    return this.protocol._kex.sessionID;
  }

  /** Whether both ends refuse what doesn't belong into the first key exchange, and count anew after it. */
  get isStrict(): boolean {
    return this.protocol._strictMode === true;
  }

  /** Whether keys are being agreed on. What is sent meanwhile is kept back. */
  get isExchangingKeys(): boolean {
    return this.protocol._kexinit !== undefined;
  }

  /** Sends one packet made of these parts. */
  send(...parts: readonly Uint8Array[]): void {
    if (this.over) return;
    const { _cipher: cipher, _packetRW } = this.protocol;
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    if (cipher instanceof PacketCipher && !this.isExchangingKeys) {
      cipher.seal(this.events.space(cipher.sizeOf(length)), length, parts);
      return;
    }
    const { write } = _packetRW;
    let at = write.allocStart;
    const packet = write.alloc(length);
    for (const part of parts) {
      packet.set(part, at);
      at += part.length;
    }
    utils.sendPacket(this.protocol, write.finalize(packet));
  }

  rekey(): void {
    if (!this.over) this.protocol.rekey();
  }

  /** Says goodbye, with one of the reasons of RFC 4253 section 11.1. */
  disconnect(reason: number): void {
    if (this.over) return;
    this.protocol.disconnect(reason);
    this.end();
  }

  end(): void {
    this.over = true;
    this.protocol.cleanup();
  }

  private fail(error: Error, events: ProtocolEvents): void {
    if (this.over) return;
    this.over = true;
    events.failed(error);
  }
}

/** The PEM of a private key in OpenSSH's own format, which OpenSSL doesn't read. Throws where it can't be read. */
export function pemOfOpenSsh(text: string): string {
  const parsed = keyParser.parseKey(text);
  if (parsed instanceof Error) throw new Error('is no private key without a passphrase');
  const [key] = Array.isArray(parsed) ? parsed : [parsed];
  const pem = key?.getPrivatePEM();
  if (!pem) throw new Error('is no private key');
  return pem;
}
