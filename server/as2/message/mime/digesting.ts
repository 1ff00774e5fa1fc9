/** Digests of content that passes by, as it is and with its lines ended by CR LF (RFC 8551 section 3.1.1). */
import { createHash, type Hash } from 'node:crypto';
import type { Digest } from '../types';

const CR_LF = Buffer.from('\r\n');

export class Digesting {
  private readonly hashes: Map<Digest, Hash>;
  /** From the first line feed on that has no carriage return before it: the same with one. */
  private canonical: Map<Digest, Hash> | undefined;
  private endedWithCr = false;
  private finished: { readonly plain: Map<Digest, Buffer>; readonly canonical: Map<Digest, Buffer> | undefined } | undefined;

  /** @param canonicalizes whether the form with CR LF is wanted beside the one that came */
  constructor(
    digests: Iterable<Digest>,
    private canonicalizes: boolean,
  ) {
    this.hashes = new Map([...digests].map((digest) => [digest, createHash(digest)]));
  }

  async *through(source: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void, undefined> {
    for await (const chunk of source) {
      this.update(chunk);
      yield chunk;
    }
  }

  update(chunk: Buffer): void {
    if (chunk.length === 0) return;
    if (this.canonicalizes) this.updateCanonical(chunk);
    for (const hash of this.hashes.values()) hash.update(chunk);
  }

  /** Both forms, once all has passed; the second one where it is another. */
  digests(digest: Digest): readonly Buffer[] {
    const ended = (hashes: Map<Digest, Hash>) => new Map([...hashes].map(([name, hash]) => [name, hash.digest()]));
    this.finished ??= { plain: ended(this.hashes), canonical: this.canonical && ended(this.canonical) };
    return [this.finished.plain.get(digest), this.finished.canonical?.get(digest)].filter((value) => value !== undefined);
  }

  /** What passes is binary: only as it is does it count. */
  leaveAsItIs(): void {
    this.canonicalizes = false;
    this.canonical = undefined;
  }

  get names(): Iterable<Digest> {
    return this.hashes.keys();
  }

  private updateCanonical(chunk: Buffer): void {
    const pieces: Buffer[] = [];
    let from = 0;
    for (let feed = chunk.indexOf(10); feed >= 0; feed = chunk.indexOf(10, feed + 1)) {
      if (feed > 0 ? chunk[feed - 1] === 13 : this.endedWithCr) continue;
      // What came before this chunk is the same in both forms, and what comes before this line in it.
      this.canonical ??= new Map([...this.hashes].map(([name, hash]) => [name, hash.copy()]));
      pieces.push(chunk.subarray(from, feed), CR_LF);
      from = feed + 1;
    }
    this.endedWithCr = chunk[chunk.length - 1] === 13;
    if (!this.canonical) return;
    const form = pieces.length === 0 ? chunk : Buffer.concat([...pieces, chunk.subarray(from)]);
    for (const hash of this.canonical.values()) hash.update(form);
  }
}
