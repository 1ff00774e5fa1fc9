/** What goes into the layer of AS2's messages and what comes out of it: S/MIME (RFC 8551), CMS (RFC 5652, 5083, 3274), AS2 (RFC 4130), compression in it (RFC 5402). */
import type { KeyObject, X509Certificate } from 'node:crypto';
import type { MessageFailure } from './failure';

/** Headers as Node.js gives them of a request: names in lower case. */
export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** SHA-1 is for partners whose policy names it. */
export type Digest = 'sha1' | 'sha256' | 'sha384' | 'sha512';
/** 3DES (`des-ede3-cbc`) is for partners whose policy names it; where the provider of OpenSSL has none (FIPS), it is an unsupported format all the same. */
export type Cipher = 'aes-128-cbc' | 'aes-192-cbc' | 'aes-256-cbc' | 'aes-128-gcm' | 'aes-192-gcm' | 'aes-256-gcm' | 'des-ede3-cbc';
/** How RSA signs. ECDSA has no such choice. */
export type RsaSignature = 'pkcs1' | 'pss';
/** How the key of a message is kept for its recipient: RSA PKCS#1 v1.5, RSA OAEP with the named digest, ECDH with X9.63 and AES key wrap (RFC 5753). */
export type KeyTransport = 'rsa-pkcs1' | 'rsa-oaep' | 'ecdh';

/** A message integrity check, as Received-content-MIC has it. */
export interface Mic {
  readonly algorithm: Digest;
  /** Base64. */
  readonly value: string;
  /** The algorithm as the partner spells it (`sha-256`, `sha256`, `SHA256`); receipts repeat it. RFC 5751's spelling where the partner named none. */
  readonly name: string;
}

/** A certificate with its private key. */
export interface KeyPair {
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
}

/** What a partner has to do and may do. */
export interface Policy {
  /** Default: true. */
  readonly mustSign: boolean;
  /** Default: true. */
  readonly mustEncrypt: boolean;
  /** Default: SHA-256, SHA-384, SHA-512. */
  readonly digests: readonly Digest[];
  /** Default: all but 3DES. */
  readonly ciphers: readonly Cipher[];
  /** Whether a signature by a certificate counts whose dates are over. Default: false. */
  readonly allowExpired: boolean;
}

export interface OpenKeys {
  /** Ours, each of which a message may be encrypted for: several while one follows the other. */
  readonly decryption: readonly KeyPair[];
  /** The partner's, by each of which it may have signed. No other is believed, whatever the message carries: no chain is looked at. */
  readonly signers: readonly X509Certificate[];
  /** Default: that of each field. */
  readonly policy?: Partial<Policy>;
  /**
   * The algorithms that the request asks for in its receipt (`receiptRequest(headers).micAlgorithms`), first the preferred one. The MIC of what is not signed
   * is by the first of them that the policy allows; SHA-256 where there is none.
   */
  readonly micAlgorithms?: readonly string[];
  /** The time that certificates' dates are compared with. Default: now. */
  readonly now?: Date;
  /** Awaited each time before one of our keys is used, which keeps everybody else waiting: anybody can have a message opened, and layer it. */
  readonly turn?: () => Promise<void>;
}

/** Bounds of one message; each ends it with a MessageFailure. */
export interface Bounds {
  /** Layers (encrypted, signed, compressed, base64 around them, multiparts) within each other. Default: 12. */
  readonly depth: number;
  /** The headers of one part, bytes. Default: 64 KiB. */
  readonly headerBytes: number;
  /** Parts of all multiparts. Default: 1000. */
  readonly parts: number;
  /** What all payloads have together, after inflating, bytes. Default: 2 GiB. */
  readonly payloadBytes: number;
  /** How many times as long as it came a part may get by inflating, beyond the first MiB. Default: 200. */
  readonly inflation: number;
  /** Recipients of an encrypted layer, signers of a signed one. Default: 32. */
  readonly recipients: number;
  /** What CMS has besides content: recipients, certificates, signatures; bytes. Default: 1 MiB. */
  readonly structureBytes: number;
  /** A receipt, bytes. Default: 1 MiB. */
  readonly receiptBytes: number;
}

/** A payload as it comes out of a message. */
export interface Payload {
  /** From 0, in the order of the message. */
  readonly index: number;
  /** The file name that the sender gave (Content-Disposition, else Content-Type's `name`; RFC 2231 and 2047), without folders and control characters. Never empty, `.` or `..`. */
  readonly name: string | undefined;
  /** As the message has it, with its parameters: `application/edi-x12; charset=us-ascii`. `application/octet-stream` where it has none. */
  readonly contentType: string;
  /** All headers of its part. */
  readonly headers: Headers;
  /** The content, with transfer encoding undone. Ends with a MessageFailure where the message turns out bad meanwhile. */
  readonly body: AsyncIterable<Buffer>;
}

/** Takes a payload while it comes. What it does not read is passed over when it is done. Where it throws, openMessage rejects with the same error. */
export type Sink = (payload: Payload) => Promise<void>;

/** One layer of a message, as it was found. */
export type Layer =
  | { readonly kind: 'encrypted'; readonly cipher: Cipher; readonly transport: KeyTransport; readonly recipient: X509Certificate }
  | {
      readonly kind: 'signed';
      readonly digest: Digest;
      readonly signature: RsaSignature | 'ecdsa';
      readonly signer: X509Certificate;
      readonly detached: boolean;
    }
  | { readonly kind: 'compressed' };

/** What a message was, all of it verified. */
export interface Opened {
  /** From the outside in. */
  readonly layers: readonly Layer[];
  readonly signed: boolean;
  readonly encrypted: boolean;
  readonly compressed: boolean;
  /** Of the outermost signature. */
  readonly signer: X509Certificate | undefined;
  /**
   * Over what RFC 4130 section 7.3.1 and RFC 5402 section 4 name: the signed part with its headers, by the digest of its signature; else what was decrypted or inflated, with its
   * headers; else the content as it came, without headers.
   */
  readonly mic: Mic;
  /** Of what was inside of all layers. */
  readonly contentType: string;
  /** How many payloads the sink was given. */
  readonly payloads: number;
  /** Where the message is a receipt (multipart/report), which the sink is not given: what it says. `signer` says by whom it is signed. */
  readonly receipt: Receipt | undefined;
}

/** What a receipt (MDN) says. */
export interface Receipt {
  /** The text for people. */
  readonly text: string;
  /** With its angle brackets. */
  readonly originalMessageId: string | undefined;
  readonly finalRecipient: string | undefined;
  readonly reportingUa: string | undefined;
  /** As it came. */
  readonly disposition: string;
  /** Whether the message was taken: of the type `processed`, without an error or a failure. A warning counts as taken. */
  readonly processed: boolean;
  /** `error: decryption-failed`, `warning: duplicate-document`, in lower case; undefined where there is none. */
  readonly modifier: string | undefined;
  /** As it came, where there is one whose algorithm is known. */
  readonly mic: Mic | undefined;
  /** All fields of the machine-readable part, names in lower case. */
  readonly fields: Headers;
}

/** A payload that goes into a message. */
export interface Outgoing {
  /** The file name, without folders. */
  readonly name: string | undefined;
  /** Such as `application/edifact`. */
  readonly contentType: string;
  readonly body: AsyncIterable<Buffer>;
  /** Bytes, where known: with it of all payloads, what is written is of definite length, and so has a Content-Length. */
  readonly size?: number;
}

export interface SealOptions {
  /** With its angle brackets. Boundaries are derived from it, so that a message that is sent again has the same MIC. */
  readonly messageId: string;
  /** Where it is to be signed. */
  readonly sign?: {
    readonly by: KeyPair;
    readonly digest: Digest;
    /** RSA only. Default: pkcs1. */
    readonly rsa?: RsaSignature;
    /** The signature beside the content (multipart/signed) or around it (signed-data). Default: true, which every peer reads. */
    readonly detached?: boolean;
    /** How micalg spells the digest. Default: RFC 5751's `sha-256`; some old peers want `sha256`. */
    readonly micName?: string;
  };
  /** Where it is to be encrypted. */
  readonly encrypt?: {
    readonly for: readonly X509Certificate[];
    readonly cipher: Cipher;
    /** For RSA certificates; certificates of elliptic curves have ECDH. Default: rsa-pkcs1, which every peer reads. */
    readonly transport?: Exclude<KeyTransport, 'ecdh'>;
    /** Of OAEP, for its mask as well. Default: sha256. */
    readonly oaepDigest?: Digest;
  };
  /** Whether to compress, and where. RFC 5402 allows either; `before` is what most send. Default: off. */
  readonly compress?: 'before-signing' | 'after-signing';
  /** The transfer encoding of payloads. HTTP carries binary; `base64` is for peers that spoil it. Default: binary. */
  readonly payloadEncoding?: 'binary' | 'base64';
  /** The transfer encoding of encrypted, compressed and signed-data layers. Default: binary. */
  readonly layerEncoding?: 'binary' | 'base64';
  /**
   * `auto` writes definite lengths (which old parsers need and all read) where all sizes are known beforehand, and else BER's indefinite ones; so compression, and signatures by elliptic
   * curves inside of another layer, make what is around them indefinite. `indefinite` writes these always. Default: auto.
   */
  readonly lengths?: 'auto' | 'indefinite';
  /** The MIC of what is not signed. Default: sha256. */
  readonly micAlgorithm?: Digest;
  /** Digests of the same bytes besides, for partners that answer with another algorithm than they were sent. Default: none. */
  readonly furtherMics?: readonly Digest[];
}

/** A message on its way out. */
export interface Sealed {
  /** Those of its content: Content-Type, Content-Disposition, Content-Transfer-Encoding, MIME-Version, and Content-Length where it is known. AS2's own are the door's. */
  readonly headers: Readonly<Record<string, string>>;
  /** Read once. Errors of the payloads come out of it. */
  readonly body: AsyncIterable<Buffer>;
  /**
   * What the receipt has to return, one of them; fulfilled when the body was read to its end, rejected where it fails. The one of the signature (or `micAlgorithm`) first, `furtherMics`
   * behind it; then, of what is compressed before it is signed, the same of what it was before.
   */
  readonly mics: Promise<readonly Mic[]>;
}

export interface ReceiptOptions {
  /** Boundaries are derived from it. */
  readonly messageId: string;
  /** Message-ID of what is receipted, as it came. */
  readonly originalMessageId: string;
  /** Our AS2 name. */
  readonly finalRecipient: string;
  /** Default: the product. */
  readonly reportingUa?: string;
  /** What became of it; undefined where it was taken. A MessageFailure's `disposition`. */
  readonly failure?: MessageFailure['disposition'];
  /** Beside `processed`, such as `duplicate-document`. */
  readonly warning?: string;
  /** For people. */
  readonly text: string;
  readonly mic?: Mic;
  /** Where the receipt is to be signed. */
  readonly sign?: SealOptions['sign'];
}

/** How a message wants to be receipted, by its headers (RFC 4130 section 7.3). */
export interface ReceiptRequest {
  /** Whether there is Disposition-Notification-To. */
  readonly wanted: boolean;
  /** Whether it has to be signed. */
  readonly signed: boolean;
  /** Whether the sender would rather have none than one it did not ask for: `signed-receipt-protocol=required` with one that is not pkcs7-signature, or no known algorithm. */
  readonly impossible: boolean;
  /** As spelled, the preferred one first. */
  readonly micAlgorithms: readonly string[];
  /** Receipt-Delivery-Option: where an asynchronous one goes. */
  readonly deliverTo: string | undefined;
}
