/** An authority that signs certificates of users, also such as no honest one would. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { publicKeyBlob, signatureOf } from '../../../../server/ssh/public-key';
import { WireReader, WireWriter } from '../../../../server/ssh/wire';

export type Kind = 'ed25519' | 'ecdsa' | 'rsa';

export class Key {
  readonly privateKey: KeyObject;
  /** As SSH writes it. */
  readonly blob: Buffer;
  /** Of the plain key: `ssh-ed25519`. */
  readonly type: string;
  /** By which it signs. */
  readonly algorithm: string;

  constructor(kind: Kind = 'ed25519') {
    const { publicKey, privateKey } =
      kind === 'rsa'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : kind === 'ecdsa'
          ? generateKeyPairSync('ec', { namedCurve: 'P-256' })
          : generateKeyPairSync('ed25519');
    this.privateKey = privateKey;
    this.blob = publicKeyBlob(publicKey);
    this.type = new WireReader(this.blob).text();
    this.algorithm = kind === 'rsa' ? 'rsa-sha2-512' : this.type;
  }

  get line(): string {
    return `${this.type} ${this.blob.toString('base64')} test`;
  }
}

export interface Wishes {
  readonly principals?: readonly string[];
  readonly serial?: bigint;
  readonly keyId?: string;
  readonly kind?: number;
  readonly validAfter?: bigint;
  readonly validBefore?: bigint;
  /** Name and value of each, in order. */
  readonly critical?: readonly (readonly [string, string])[];
  /** What stands where the authority's key is. */
  readonly authority?: Buffer;
  /** Made over the rest; default: the authority's own. */
  readonly sign?: (data: Buffer) => Buffer;
  /** Behind everything. */
  readonly behind?: Buffer;
}

export function certificate(authority: Key, key: Key, wishes: Wishes = {}): Buffer {
  const { principals = ['demo'], serial = 1n, keyId = 'somebody', kind = 1, validAfter = 0n, validBefore = 2n ** 64n - 1n, critical = [] } = wishes;
  const options = new WireWriter();
  for (const [name, value] of critical) options.string(name).string(new WireWriter().string(value).done());
  const names = new WireWriter();
  for (const name of principals) names.string(name);
  const fields = key.blob.subarray(4 + Buffer.byteLength(key.type));
  const signed = new WireWriter()
    .string(`${key.type}-cert-v01@openssh.com`)
    .string(Buffer.alloc(32, 7))
    .raw(fields)
    .bigUint64(serial)
    .uint32(kind)
    .string(keyId)
    .string(names.done())
    .bigUint64(validAfter)
    .bigUint64(validBefore)
    .string(options.done())
    .string(new WireWriter().string('permit-pty').string('').done())
    .string('')
    .string(wishes.authority ?? authority.blob)
    .done();
  const sign = wishes.sign ?? ((data: Buffer) => signatureOf(authority.privateKey, authority.algorithm, data));
  return Buffer.concat([signed, new WireWriter().string(sign(signed)).done(), wishes.behind ?? Buffer.alloc(0)]);
}
