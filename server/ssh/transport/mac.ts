/** What proves a packet whose cipher does not do so by itself: HMAC-SHA-2 (RFC 6668). */
import { createHmac, createSecretKey, type KeyObject } from 'node:crypto';
import type { Outbound } from 'ssh2/lib/protocol/crypto.js';

export class Mac {
  readonly length: number;
  readonly afterEncryption: boolean;
  private readonly name: string;
  private readonly key: KeyObject;
  private readonly sequence = Buffer.alloc(4);

  constructor({ macInfo, macKey }: Pick<Outbound, 'macInfo' | 'macKey'>) {
    this.length = macInfo!.len;
    this.afterEncryption = macInfo!.isETM;
    this.name = macInfo!.sslName;
    this.key = createSecretKey(macKey!);
  }

  of(sequence: number, ...parts: readonly Buffer[]): Buffer {
    this.sequence.writeUInt32BE(sequence, 0);
    const mac = createHmac(this.name, this.key).update(this.sequence);
    for (const part of parts) mac.update(part);
    return mac.digest();
  }
}
