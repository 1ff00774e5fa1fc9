/** A key that the server proves itself with: Ed25519, ECDSA or RSA, from files of OpenSSH or in PEM. */
import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import { fingerprintOf, publicKeyBlob, signatureOf } from '../public-key';
import { type KeyExchangeKey, pemOfOpenSsh } from './ssh2';

/** Least length of an RSA key in bits (NIST SP 800-131A). */
const LEAST_RSA_BITS = 2_048;

export class HostKey implements KeyExchangeKey {
  readonly type: string;
  private readonly blob: Buffer;

  constructor(private readonly key: KeyObject) {
    this.blob = publicKeyBlob(createPublicKey(key));
    this.type = this.blob.toString('latin1', 4, 4 + this.blob.readUInt32BE(0));
    const bits = key.asymmetricKeyDetails?.modulusLength;
    if (bits !== undefined && bits < LEAST_RSA_BITS) throw new Error(`is an RSA key of ${bits} bits; make one of ${LEAST_RSA_BITS} or more`);
  }

  /** Reads a private key: OpenSSH's own format, PKCS #8, PKCS #1 or SEC 1. Throws an Error that says what is wrong with it, and nothing of what is in it. */
  static read(text: string): HostKey {
    const isOpenSsh = text.includes('BEGIN OPENSSH PRIVATE KEY');
    let key: KeyObject;
    try {
      key = createPrivateKey(isOpenSsh ? pemOfOpenSsh(text) : text);
    } catch {
      throw new Error('is no private key without a passphrase; `ssh-keygen -t ed25519 -N ""` makes one');
    }
    return new HostKey(key);
  }

  getPublicSSH(): Buffer {
    return this.blob;
  }

  sign(data: Buffer, algorithm?: string): Buffer {
    const byCurve: Record<string, string> = { 'ecdsa-sha2-nistp256': 'sha256', 'ecdsa-sha2-nistp384': 'sha384', 'ecdsa-sha2-nistp521': 'sha512' };
    return sign(this.type === 'ssh-ed25519' ? null : (algorithm ?? byCurve[this.type]), data, this.key);
  }

  /** A signature as SSH writes it. `rsaAlgorithm`: by which an RSA key signs. */
  prove(data: Buffer, rsaAlgorithm: string): Buffer {
    return signatureOf(this.key, this.type === 'ssh-rsa' ? rsaAlgorithm : this.type, data);
  }

  /** As a line of known_hosts has it, behind the name of the host. */
  get line(): string {
    return `${this.type} ${this.blob.toString('base64')}`;
  }

  /** `SHA256:…` as OpenSSH prints it. */
  get fingerprint(): string {
    return fingerprintOf(this.blob);
  }
}

/** Every private key of a text, one behind the other. Throws as `HostKey.read`. */
export function hostKeysIn(text: string): HostKey[] {
  const blocks = text.match(/-----BEGIN ([A-Z ]*PRIVATE KEY)-----[\s\S]*?-----END \1-----/g) ?? [text];
  return blocks.map((block) => HostKey.read(`${block}\n`));
}

/** The keys by the names of the algorithms that they sign with. Of two keys of one type the first is used. */
export function byAlgorithm(keys: readonly HostKey[]): Map<string, HostKey> {
  const all = new Map<string, HostKey>();
  for (const key of keys)
    for (const algorithm of key.type === 'ssh-rsa' ? ['rsa-sha2-512', 'rsa-sha2-256'] : [key.type]) if (!all.has(algorithm)) all.set(algorithm, key);
  return all;
}
