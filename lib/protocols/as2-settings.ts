/** What a platform engineer says about AS2: who we are, who the partners are, and what is agreed on with each. */
import type { Duration, Size } from 'aws-cdk-lib';

/** Digests of signatures. */
export enum As2Digest {
  /** For partners that know no other; FIPS refuses it. */
  SHA1 = 'sha1',
  SHA256 = 'sha256',
  SHA384 = 'sha384',
  SHA512 = 'sha512',
}

/** Ciphers of messages. */
export enum As2Cipher {
  /** 3DES, for partners that know no other; FIPS refuses it. */
  TRIPLE_DES = 'des-ede3-cbc',
  AES_128_CBC = 'aes-128-cbc',
  AES_192_CBC = 'aes-192-cbc',
  AES_256_CBC = 'aes-256-cbc',
  AES_128_GCM = 'aes-128-gcm',
  AES_192_GCM = 'aes-192-gcm',
  AES_256_GCM = 'aes-256-gcm',
}

/** How the key of a message is encrypted for an RSA certificate. */
export enum As2KeyTransport {
  /** The way that every partner reads. NIST SP 800-131A has disallowed it since 2024, and FIPS refuses it. */
  RSA_PKCS1 = 'rsa-pkcs1',
  RSA_OAEP = 'rsa-oaep',
}

/** Whether messages are compressed (RFC 5402). */
export enum As2Compression {
  OFF = 'off',
  BEFORE_SIGNING = 'before-signing',
  AFTER_SIGNING = 'after-signing',
}

/** How the partner is to receipt what it was sent (MDN, RFC 4130 section 7). */
export enum As2Receipt {
  /** In the answer. */
  SYNC = 'sync',
  /** By a request of its own to our address. */
  ASYNC = 'async',
  NONE = 'none',
}

/**
 * A company that messages are exchanged with: its name, its address and its certificates. The same partner may stand in the agreements of several
 * environments. What AWS Transfer Family says in a partner's profile and the first half of a connector.
 */
export interface As2Partner {
  /** Its AS2 name, as it stands in AS2-From of its messages. Upper and lower case differ. */
  readonly as2Id: string;
  /**
   * Where messages to it go: `https://as2.partner.example/as2`.
   * @default - none are sent
   */
  readonly url?: string;
  /**
   * Certificates by which it signs, each a PEM file in your repository or the PEM text itself: no other is believed, whatever authority issued it. Two
   * while one follows the other. Needed unless messages and receipts need no signature.
   * @default - none
   */
  readonly certificates?: string[];
  /**
   * The certificate that messages to it are encrypted for, in the same forms.
   * @default - the first of `certificates`
   */
  readonly encryptionCertificate?: string;
  /**
   * Authorities of its HTTPS server, a PEM file in your repository or the PEM text itself.
   * @default - the well-known ones
   */
  readonly tlsCa?: string;
  /**
   * Hosts to which its asynchronous receipts may go beside that of `url`, `receipts.partner.example:4443` for example; without a port it is 443.
   * @default - none
   */
  readonly receiptHosts?: string[];
  /**
   * Whether its address and those for receipts may be `http://`: what goes there is protected by the message itself alone.
   * @default false
   */
  readonly allowPlainHttp?: boolean;
  /**
   * Whether a certificate of it counts that is out of date.
   * @default false
   */
  readonly allowExpired?: boolean;
}

/** What is agreed on with a partner: the account that stands for it, and how messages are made and taken. */
export interface As2Agreement {
  /** With whom. */
  readonly partner: As2Partner;
  /** Account whose home, quota, bandwidth, networks and scanner are those of the partner, an `FtpsAccount` for example; it may be one that nobody logs in with. */
  readonly account: string;
  /**
   * Whether messages that are not signed are refused.
   * @default true
   */
  readonly requireSigned?: boolean;
  /**
   * Whether messages that are not encrypted are refused.
   * @default true
   */
  readonly requireEncrypted?: boolean;
  /**
   * Digests that the partner may sign with. SHA-1 is taken where it stands here.
   * @default - SHA-256, SHA-384 and SHA-512
   */
  readonly digests?: As2Digest[];
  /**
   * Ciphers that the partner may encrypt with. 3DES is taken where it stands here.
   * @default - AES with 128, 192 and 256 bits, CBC and GCM
   */
  readonly ciphers?: As2Cipher[];
  /**
   * Whether messages to the partner are signed.
   * @default true
   */
  readonly sign?: boolean;
  /**
   * Digest that they are signed with.
   * @default As2Digest.SHA256
   */
  readonly signDigest?: As2Digest;
  /**
   * Whether messages to the partner are encrypted.
   * @default true
   */
  readonly encrypt?: boolean;
  /**
   * Cipher that they are encrypted with.
   * @default As2Cipher.AES_256_CBC
   */
  readonly encryptCipher?: As2Cipher;
  /**
   * How the key of a message is encrypted for an RSA certificate.
   * @default - As2KeyTransport.RSA_PKCS1; RSA_OAEP with `TlsPolicy.FIPS`
   */
  readonly keyTransport?: As2KeyTransport;
  /**
   * Whether messages to the partner are compressed.
   * @default As2Compression.OFF
   */
  readonly compression?: As2Compression;
  /**
   * Whether what is in a message is encoded as base64, for partners that can not read binary.
   * @default false
   */
  readonly base64?: boolean;
  /**
   * Type of the files: `application/edi-x12` or `application/edifact` (RFC 1767).
   * @default - application/octet-stream
   */
  readonly contentType?: string;
  /**
   * Types of files by the ending of their names, in lower case and without its dot: `{ pdf: 'application/pdf' }`.
   * @default - all have `contentType`
   */
  readonly contentTypes?: { [ending: string]: string };
  /**
   * Subject of messages.
   * @default - AS2 message
   */
  readonly subject?: string;
  /**
   * How the partner receipts what it was sent.
   * @default As2Receipt.SYNC
   */
  readonly receipt?: As2Receipt;
  /**
   * Whether receipts have to be signed.
   * @default true
   */
  readonly receiptSigned?: boolean;
  /**
   * An asynchronous receipt that has not come by then counts as none, and the message is sent again.
   * @default Duration.hours(2)
   */
  readonly receiptWait?: Duration;
  /**
   * Folder of the account into which payloads come.
   * @default - /inbox
   */
  readonly inbox?: string;
  /**
   * Folder of the account whose files are sent, each as a message; a folder in it with a list `send.txt` is one message of several files.
   * @default - /outbox
   */
  readonly outbox?: string;
  /**
   * Folder to which files go that the partner has taken.
   * @default - /sent
   */
  readonly sent?: string;
  /**
   * Whether files that the partner has taken are deleted instead.
   * @default false
   */
  readonly removeSent?: boolean;
  /**
   * Folder to which files go that the partner has refused, or did not take in all attempts.
   * @default - /failed
   */
  readonly failed?: string;
  /**
   * How often a message is sent at most, where the partner can not be reached or does not receipt.
   * @default 12
   */
  readonly attempts?: number;
  /**
   * Wait after the first attempt that failed; each further one doubles it.
   * @default Duration.minutes(1)
   */
  readonly firstWait?: Duration;
  /**
   * The longest wait.
   * @default Duration.hours(4)
   */
  readonly longestWait?: Duration;
  /**
   * Whether what has come of a long message is kept when its connection ends, so that the partner can send the rest (AS2 Restart, draft-harding-as2-restart-07).
   * @default false
   */
  readonly restartReceived?: boolean;
  /**
   * Whether long messages to the partner go on where they were cut. They are written to the storage before they leave, and take that much of it meanwhile.
   * @default false
   */
  readonly restartSent?: boolean;
}

/** AS2 (RFC 4130): signed, encrypted and receipted messages of partners, into the same accounts. Its keys are `as2Keys` of the service. */
export interface As2Settings {
  /** Our AS2 name, as it stands in AS2-To of the messages of partners. */
  readonly as2Id: string;
  /**
   * With whom messages are exchanged, and how.
   * @default - nobody yet
   */
  readonly agreements?: As2Agreement[];
  /**
   * A port of its own, over TLS with the certificates of FTPS.
   * @default - the port of HTTPS where that is on, else 443
   */
  readonly port?: number;
  /**
   * A port without TLS as well, for partners that know no other way: what they send is protected by the message itself alone.
   * @default - none
   */
  readonly plainPort?: number;
  /**
   * Path of our address.
   * @default - /as2
   */
  readonly path?: string;
  /**
   * Our address as partners reach it; asynchronous receipts come there.
   * @default - the host name of the service, port and path
   */
  readonly url?: string;
  /**
   * The largest message that is taken, and what all of its payloads may have together.
   * @default Size.gibibytes(2)
   */
  readonly maxMessageSize?: Size;
  /**
   * How long what was exchanged is known: who sent what to whom, digests, receipts. As long a message that comes again gets the receipt of the first.
   * @default Duration.days(365)
   */
  readonly keepFor?: Duration;
  /**
   * Messages up to this size are kept beside their receipts as they came, signature and all.
   * @default Size.mebibytes(1)
   */
  readonly keepMessagesUpTo?: Size;
  /**
   * Messages shorter than this are sent again as a whole, where an agreement has `restartReceived` or `restartSent`.
   * @default Size.mebibytes(16)
   */
  readonly restartFrom?: Size;
  /**
   * What all messages that wait for their rest may have together, once for those that come and once for those that go; beyond it none is kept.
   * @default Size.gibibytes(32)
   */
  readonly restartSpace?: Size;
  /**
   * How long a message waits for its rest.
   * @default Duration.hours(24)
   */
  readonly restartWait?: Duration;
}
