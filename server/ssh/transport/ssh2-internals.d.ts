/** What of ssh2 1.17.0 is relied on, as it is there; `transport/ssh2.ts` is all that imports it. */

declare module 'ssh2/lib/protocol/crypto.js' {
  export interface CipherInfo {
    readonly sslName: string;
    readonly authLen: number;
    readonly keyLen: number;
    readonly ivLen: number;
  }
  export interface MacInfo {
    readonly sslName: string;
    readonly len: number;
    readonly isETM: boolean;
  }
  /** Encrypts what is sent. `allocPacket` leaves the payload from byte 5 on. */
  export interface Cipher {
    outSeqno: number;
    allocPacket(payloadLength: number): Buffer;
    encrypt(packet: Buffer): void;
    free(): void;
  }
  /** Decrypts what comes. `decrypt` answers where it stopped, or nothing when it took everything. */
  export interface Decipher {
    inSeqno: number;
    _onPayload: OnPayload;
    decrypt(data: Buffer, from: number, end: number): number | undefined;
    free(): void;
  }
  export type OnPayload = (payload: Buffer) => number | false | undefined;
  export interface Outbound {
    readonly onWrite: (data: Buffer) => void;
    readonly seqno: number;
    readonly cipherInfo: CipherInfo;
    readonly cipherKey: Buffer;
    readonly cipherIV: Buffer;
    readonly macInfo?: MacInfo;
    readonly macKey?: Buffer;
  }
  export interface Inbound {
    readonly onPayload: OnPayload;
    readonly seqno: number;
    readonly decipherInfo: CipherInfo;
    readonly decipherKey: Buffer;
    readonly decipherIV: Buffer;
    readonly macInfo?: MacInfo;
    readonly macKey?: Buffer;
  }
  const crypto: {
    createCipher(config: { readonly outbound: Outbound }): Cipher;
    createDecipher(config: { readonly inbound: Inbound }): Decipher;
  };
  export default crypto;
}

declare module 'ssh2/lib/protocol/kex.js' {
  /** The algorithms of a KEXINIT. */
  export class KexInit {
    constructor(algorithms: {
      readonly kex: readonly string[];
      readonly serverHostKey: readonly string[];
      readonly cs: DirectionAlgorithms;
      readonly sc: DirectionAlgorithms;
    });
  }
  interface DirectionAlgorithms {
    readonly cipher: readonly string[];
    readonly mac: readonly string[];
    readonly compress: readonly string[];
    readonly lang: readonly string[];
  }
  /** A key exchange of X25519, for another to be built on. */
  export class Curve25519Exchange {
    constructor(hashName: string, ...rest: readonly unknown[]);
    hashName: string;
    generateKeys(): void;
    /** Of this side, as it goes into the packet. */
    getPublicKey(): Buffer;
    /** Of the other side, as it goes into the exchange hash. */
    convertPublicKey(key: Buffer): Buffer;
    computeSecret(otherPublicKey: Buffer): Buffer | Error;
  }
  const kex: {
    readonly KexInit: typeof KexInit;
    /** Made by the build alone (tools/bundled/ssh2.mjs): adds a key exchange to those that ssh2 knows. */
    readonly addKeyExchange?: (name: string, make: (base: typeof Curve25519Exchange) => new (...rest: readonly unknown[]) => Curve25519Exchange) => void;
  };
  export default kex;
}

declare module 'ssh2/lib/protocol/keyParser.js' {
  export interface ParsedKey {
    readonly type: string;
    getPrivatePEM(): string | null;
  }
  const parser: { parseKey(text: string): ParsedKey | readonly ParsedKey[] | Error };
  export default parser;
}

declare module 'ssh2/lib/protocol/utils.js' {
  const utils: { sendPacket(protocol: object, packet: Buffer): void };
  export default utils;
}

declare module 'ssh2/lib/protocol/Protocol.js' {
  import type { Cipher, OnPayload } from 'ssh2/lib/protocol/crypto.js';
  import type { KexInit } from 'ssh2/lib/protocol/kex.js';
  export interface Negotiated {
    readonly kex: string;
    readonly serverHostKey: string;
    readonly cs: { readonly cipher: string; readonly mac: string };
    readonly sc: { readonly cipher: string; readonly mac: string };
  }
  export default class Protocol {
    constructor(options: {
      readonly server: true;
      /** By the name of the signature algorithm. */
      readonly hostKeys: object;
      readonly ident: string;
      readonly offer: KexInit;
      readonly onWrite: (data: Buffer) => void;
      readonly onError: (error: Error) => void;
      readonly onHeader: (header: { readonly versions: { readonly protocol: string; readonly software: string } }) => void;
      readonly onHandshakeComplete: (negotiated: Negotiated) => void;
      readonly messageHandlers: object;
    });
    start(): void;
    /** What reads the identification first and then packets. Answers where it stopped, or nothing when it took everything. */
    _parse(data: Buffer, from: number, end: number): number | undefined;
    rekey(): void;
    disconnect(reason: number): void;
    cleanup(): void;
    _onPayload: OnPayload;
    _onHandshakeComplete: (negotiated: Negotiated) => void;
    readonly _kexinit: Buffer | undefined;
    readonly _strictMode: boolean | undefined;
    readonly _kex: { readonly sessionID: Buffer; remoteExtInfoEnabled: boolean };
    /** Encrypts what is sent; ours once keys are agreed on. */
    readonly _cipher: Cipher;
    readonly _packetRW: { readonly write: { readonly allocStart: number; alloc(size: number): Buffer; finalize(packet: Buffer): Buffer } };
  }
}
