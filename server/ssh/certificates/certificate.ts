/** Certificates of users, as `ssh-keygen -s` makes them (OpenSSH, PROTOCOL.certkeys): what is in one, whoever signed it. */
import type { KeyObject } from 'node:crypto';
import { publicKeyBlob, readKey } from '../public-key';
import { MalformedPacket, WireReader } from '../wire';

/** What the names of types and of algorithms end with. */
const SUFFIX = '-cert-v01@openssh.com';
/** Kind of a certificate; 2 is a host's. */
const USER = 1;
/** As OpenSSH has it (SSHKEY_CERT_MAX_PRINCIPALS). */
const MOST_PRINCIPALS = 256;
const MOST_OPTIONS = 64;

export interface Certificate {
  readonly key: KeyObject;
  /** The key by itself, as SSH writes it, one way for each key. */
  readonly keyBlob: Buffer;
  readonly serial: bigint;
  readonly isForUsers: boolean;
  /** What the authority calls it. */
  readonly keyId: string;
  readonly principals: readonly string[];
  /** Seconds since 1970: from then on, and until before then. */
  readonly validAfter: bigint;
  readonly validBefore: bigint;
  /** By name, with what stands behind each. */
  readonly criticalOptions: ReadonlyMap<string, Buffer>;
  /** The key of the authority, as it stands there. */
  readonly authority: Buffer;
  /** What the authority has signed. */
  readonly signed: Buffer;
  readonly signature: Buffer;
}

export function isCertificate(name: string): boolean {
  return name.endsWith(SUFFIX);
}

/** `ssh-ed25519` for `ssh-ed25519-cert-v01@openssh.com`; what is no name of a certificate's stays. */
export function plainName(name: string): string {
  return isCertificate(name) ? name.slice(0, -SUFFIX.length) : name;
}

/** Reads one; nothing in it is believed yet. Throws MalformedPacket where it is none, or has a byte too many. */
export function readCertificate(blob: Buffer): Certificate {
  const reader = new WireReader(blob);
  const type = reader.text();
  if (!isCertificate(type)) throw new MalformedPacket();
  reader.string(); // the nonce
  const key = readKey(plainName(type), reader);
  const serial = reader.bigUint64();
  const kind = reader.uint32();
  const keyId = reader.text();
  const principals = namesIn(reader.string());
  const [validAfter, validBefore] = [reader.bigUint64(), reader.bigUint64()];
  const criticalOptions = optionsIn(reader.string());
  optionsIn(reader.string()); // extensions: terminals, tunnels, agents, of which there is nothing here
  reader.string(); // reserved
  const authority = Buffer.from(reader.string());
  const signed = blob.subarray(0, reader.at);
  const signature = reader.string();
  if (reader.left > 0 || isCertificate(new WireReader(authority).text())) throw new MalformedPacket();
  return {
    key,
    keyBlob: publicKeyBlob(key),
    serial,
    isForUsers: kind === USER,
    keyId,
    principals,
    validAfter,
    validBefore,
    criticalOptions,
    authority,
    signed,
    signature,
  };
}

function namesIn(list: Buffer): string[] {
  const reader = new WireReader(list);
  const names: string[] = [];
  while (reader.left > 0) {
    names.push(reader.text());
    if (names.length > MOST_PRINCIPALS) throw new MalformedPacket();
  }
  return names;
}

/** "Each named option may only appear once." */
function optionsIn(list: Buffer): Map<string, Buffer> {
  const reader = new WireReader(list);
  const options = new Map<string, Buffer>();
  while (reader.left > 0) {
    const name = reader.text();
    if (options.has(name) || options.size >= MOST_OPTIONS) throw new MalformedPacket();
    options.set(name, reader.string());
  }
  return options;
}
