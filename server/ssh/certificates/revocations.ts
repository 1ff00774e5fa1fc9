/** Keys and certificates that let nobody in any more: words of the settings, lines of a file, or the list that `ssh-keygen -k` makes. */
import { createHash } from 'node:crypto';
import { publicKey, revocation } from '../../config';
import { fingerprintOf } from '../public-key';
import { isKrl, type Krl, readKrl, revokesCertificate } from './krl';

/** What somebody comes with. */
export interface Presented {
  /** The key by itself, as SSH writes it. */
  readonly keyBlob: Buffer;
  readonly certificate?: { readonly serial: bigint; readonly keyId: string; readonly authority: Buffer };
}

export class Revocations {
  private readonly fingerprints = new Set<string>();
  private readonly keyIds = new Set<string>();
  private readonly serials: { readonly low: bigint; readonly high: bigint }[] = [];
  private krl: Krl | undefined;
  /** Of the file. */
  private digest = '';

  /** `words` as in `sftp.userCertificates.revoked`. */
  constructor(words: readonly string[]) {
    for (const word of words) this.add(word);
  }

  /** With what a file says as well: a KRL, or lines, each a word or a public key. Throws an Error that says which line is wrong. */
  including(file: Buffer): this {
    this.digest = createHash('sha256').update(file).digest('hex');
    if (isKrl(file)) {
      this.krl = readKrl(file);
      return this;
    }
    file
      .toString('utf8')
      .split(/\r?\n/)
      .forEach((text, index) => {
        const line = text.trim();
        if (line === '' || line.startsWith('#')) return;
        if (publicKey.safeParse(line).success) this.fingerprints.add(fingerprintOf(Buffer.from(line.split(' ', 2)[1]!, 'base64')));
        else if (revocation.safeParse(line).success) this.add(line);
        else throw new Error(`line ${index + 1} is neither a public key nor SHA256:…, serial:… or id:…`);
      });
    return this;
  }

  /** Whether the key, its authority or the certificate is among them. */
  includes({ keyBlob, certificate }: Presented): boolean {
    if (this.includesKey(keyBlob)) return true;
    if (!certificate) return false;
    const { serial, keyId, authority } = certificate;
    return (
      this.includesKey(authority) ||
      this.keyIds.has(keyId) ||
      this.serials.some(({ low, high }) => low <= serial && serial <= high) ||
      (this.krl !== undefined && revokesCertificate(this.krl, certificate))
    );
  }

  /** Whether the file said the same. */
  isSameAs({ digest }: Revocations): boolean {
    return digest === this.digest;
  }

  private includesKey(blob: Buffer): boolean {
    const { krl } = this;
    return (
      this.fingerprints.has(fingerprintOf(blob)) ||
      (krl !== undefined &&
        (krl.keys.has(blob.toString('base64')) ||
          krl.sha256.has(createHash('sha256').update(blob).digest('hex')) ||
          (krl.sha1.size > 0 && krl.sha1.has(createHash('sha1').update(blob).digest('hex')))))
    );
  }

  private add(word: string): void {
    const [kind, value] = [word.slice(0, word.indexOf(':')), word.slice(word.indexOf(':') + 1)];
    if (kind === 'id') this.keyIds.add(value);
    else if (kind === 'serial') {
      const [low, high = low] = value.split('-');
      this.serials.push({ low: BigInt(low!), high: BigInt(high!) });
    } else this.fingerprints.add(word);
  }
}
