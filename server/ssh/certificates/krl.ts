/** Key revocation lists in OpenSSH's binary form (PROTOCOL.krl), as `ssh-keygen -k` makes them. */
import { MalformedPacket, WireReader } from '../wire';

const MAGIC = Buffer.from('SSHKRL\n\0');
const VERSION = 1;
const sections = { certificates: 1, explicitKey: 2, sha1: 3, signature: 4, sha256: 5, extension: 255 } as const;
const kinds = { serials: 0x20, range: 0x21, bitmap: 0x22, keyId: 0x23, extension: 0x39 } as const;

/** Certificates of one authority. */
interface OfAuthority {
  /** Its key; empty: of any. */
  readonly authority: Buffer;
  readonly serials: Set<bigint>;
  readonly ranges: { readonly low: bigint; readonly high: bigint }[];
  /** The serial number of the lowest bit, and the bits, the highest first. */
  readonly bitmaps: { readonly offset: bigint; readonly bits: Buffer }[];
  readonly keyIds: Set<string>;
}

export interface Krl {
  readonly certificates: readonly OfAuthority[];
  /** Keys in base64, and digests of keys in hexadecimal. */
  readonly keys: ReadonlySet<string>;
  readonly sha1: ReadonlySet<string>;
  readonly sha256: ReadonlySet<string>;
}

export function isKrl(file: Buffer): boolean {
  return file.subarray(0, MAGIC.length).equals(MAGIC);
}

/** Throws an Error where the list is not whole, or says something in a way that is not known: what it revokes must never be taken for good. */
export function readKrl(file: Buffer): Krl {
  try {
    return read(file);
  } catch (error) {
    if (error instanceof MalformedPacket) throw new Error('is a KRL that is broken off, or of a kind that is not known');
    throw error;
  }
}

function read(file: Buffer): Krl {
  const reader = new WireReader(file, MAGIC.length);
  if (reader.uint32() !== VERSION) throw new MalformedPacket();
  for (let field = 0; field < 3; field += 1) reader.bigUint64(); // its version, when it was made, flags
  reader.string(); // reserved
  reader.string(); // comment
  const certificates: OfAuthority[] = [];
  const [keys, sha1, sha256] = [new Set<string>(), new Set<string>(), new Set<string>()];
  while (reader.left > 0) {
    const kind = reader.byte();
    const section = new WireReader(reader.string());
    if (kind === sections.certificates) certificates.push(certificatesIn(section));
    else if (kind === sections.explicitKey) while (section.left > 0) keys.add(section.string().toString('base64'));
    else if (kind === sections.sha1) while (section.left > 0) sha1.add(section.string().toString('hex'));
    else if (kind === sections.sha256) while (section.left > 0) sha256.add(section.string().toString('hex'));
    else if (kind === sections.signature)
      reader.string(); // nobody signs them any more; the list is trusted by where it lies
    else if (kind !== sections.extension || isCritical(section)) throw new MalformedPacket();
  }
  return { certificates, keys, sha1, sha256 };
}

function certificatesIn(section: WireReader): OfAuthority {
  const found: OfAuthority = { authority: section.string(), serials: new Set(), ranges: [], bitmaps: [], keyIds: new Set() };
  section.string(); // reserved
  while (section.left > 0) {
    const kind = section.byte();
    const data = new WireReader(section.string());
    if (kind === kinds.serials) while (data.left > 0) found.serials.add(data.bigUint64());
    else if (kind === kinds.range) found.ranges.push({ low: data.bigUint64(), high: data.bigUint64() });
    else if (kind === kinds.bitmap) found.bitmaps.push({ offset: data.bigUint64(), bits: data.string() });
    else if (kind === kinds.keyId) while (data.left > 0) found.keyIds.add(data.text());
    else if (kind !== kinds.extension || isCritical(data)) throw new MalformedPacket();
  }
  return found;
}

function isCritical(extension: WireReader): boolean {
  extension.text();
  return extension.boolean();
}

export function revokesCertificate(
  { certificates }: Krl,
  { serial, keyId, authority }: { readonly serial: bigint; readonly keyId: string; readonly authority: Buffer },
): boolean {
  return certificates.some(
    (one) =>
      (one.authority.length === 0 || one.authority.equals(authority)) &&
      (one.keyIds.has(keyId) ||
        // A certificate without a number has number 0, which names none of them.
        (serial !== 0n &&
          (one.serials.has(serial) ||
            one.ranges.some(({ low, high }) => low <= serial && serial <= high) ||
            one.bitmaps.some(({ offset, bits }) => hasBit(bits, serial - offset))))),
  );
}

function hasBit(bits: Buffer, index: bigint): boolean {
  if (index < 0n || index >= BigInt(bits.length * 8)) return false;
  return ((bits[bits.length - 1 - Number(index >> 3n)]! >> Number(index & 7n)) & 1) === 1;
}
