/** The files of a message while it is sent: opened when their turn has come, hashed as they are read, and told to the audit when it is known whether the partner has them. */
import { createHash } from 'node:crypto';
import type { As2Partner } from '../../config';
import type { AccountFiles, Reading } from '../../files/account-files';
import { COMMAND } from '../folders';
import type { Outgoing } from '../message';
import { type Job, payloadsOf } from './job';

/** Read at a time. Bytes. */
const PIECE = 256 * 1024;

export class Payloads {
  private readonly readings: Reading[] = [];
  private readonly sums: string[] = [];
  private readonly all: ReturnType<typeof payloadsOf>;

  private constructor(
    private readonly files: AccountFiles,
    job: Job,
    private readonly send: As2Partner['send'],
  ) {
    this.all = payloadsOf(job);
  }

  /** Throws a StorageError where the first can't be opened. */
  static async open(files: AccountFiles, job: Job, send: As2Partner['send']): Promise<Payloads> {
    const payloads = new Payloads(files, job, send);
    await payloads.openNext();
    return payloads;
  }

  get outgoing(): Outgoing[] {
    return this.all.map(({ name, size }, index) => ({ name, contentType: typeOf(name, this.send), size, body: this.bytesOf(index) }));
  }

  /** Whether all was read to its end. */
  get isAll(): boolean {
    return this.sums.length === this.all.length;
  }

  /** SHA-256, in the order of the message. */
  get digests(): readonly string[] {
    return this.sums;
  }

  /** The partner has them. */
  async close(): Promise<void> {
    for (const reading of this.readings) await reading.close();
  }

  async abort(): Promise<void> {
    for (const reading of this.readings) await reading.abort();
  }

  private async openNext(): Promise<Reading> {
    const reading = await this.files.openReading(COMMAND, this.all[this.readings.length]!.path);
    this.readings.push(reading);
    return reading;
  }

  private async *bytesOf(index: number): AsyncIterable<Buffer> {
    const reading = this.readings[index] ?? (await this.openNext());
    const { name, size } = this.all[index]!;
    if (reading.size !== size) throw new Error(`${name} has changed since the message was made`);
    const hash = createHash('sha256');
    for (let at = 0; at < size; ) {
      const piece = Buffer.allocUnsafeSlow(Math.min(PIECE, size - at));
      const bytes = await reading.read(at, piece);
      if (bytes === 0) return;
      at += bytes;
      const got = piece.subarray(0, bytes);
      hash.update(got);
      yield got;
    }
    this.sums.push(hash.digest('hex'));
  }
}

/** By the ending of the name, where the partner has a type for it. */
function typeOf(name: string, { contentType, contentTypes }: As2Partner['send']): string {
  const ending = name.slice(name.lastIndexOf('.') + 1).toLowerCase();
  return name.includes('.') ? (contentTypes[ending] ?? contentType) : contentType;
}
