/** Reads BER while it comes: structure element by element, content in pieces. */
import type { Inflow } from '../inflow';
import { type Head, malformed, type Node, OCTET_STRING, readHead, readWhole } from './der';

/** The longest head: a tag and a length of eight bytes. */
const HEAD = 10;
/** Strings in pieces of pieces. */
const DEEPEST_STRING = 8;
const DEEPEST = 32;

/** Something that was entered: where it ends, undefined where an end is written behind it. */
export interface Frame {
  readonly end: number | undefined;
}

export class BerReader {
  /** @param structureBytes how much is kept of what is not content, all together */
  constructor(
    private readonly inflow: Inflow,
    private structureBytes: number,
  ) {}

  /** Enters the next element, which must have that tag. */
  async enter(tag: number, outer?: Frame): Promise<Frame> {
    const head = await this.head(outer);
    if (head.tag !== tag) throw malformed(`there is 0x${head.tag.toString(16)} where 0x${tag.toString(16)} has to be`);
    return this.frame(head);
  }

  /** Whether an entered element has another one; reads its end otherwise. */
  async hasMore(frame: Frame): Promise<boolean> {
    if (frame.end !== undefined) {
      if (this.inflow.position > frame.end) throw malformed('an element is longer than what it is in');
      return this.inflow.position < frame.end;
    }
    if ((await this.inflow.hold(2)) < 2) throw malformed('it is cut');
    if (this.inflow.buffered[0] !== 0 || this.inflow.buffered[1] !== 0) return true;
    this.inflow.skip(2);
    return false;
  }

  /** The first byte of the next element, without reading it. */
  async peek(): Promise<number> {
    if ((await this.inflow.hold(1)) < 1) throw malformed('it is cut');
    return this.inflow.buffered[0]!;
  }

  /** The next element as a whole. */
  async whole(outer: Frame): Promise<Node> {
    const pieces: Buffer[] = [];
    await this.collect(pieces, outer, 0);
    return readWhole(Buffer.concat(pieces));
  }

  /** Leaves an entered element, which has to be at its end. */
  async leave(frame: Frame): Promise<void> {
    if (await this.hasMore(frame)) throw malformed('there is more than there may be');
  }

  /**
   * The content of a string that comes next, of the tag given or the same in pieces; read to its end before anything else is. Pieces are as long as what
   * came, not as the sender cut them.
   */
  async *octets(primitive: number, outer: Frame): AsyncGenerator<Buffer, void, undefined> {
    const head = await this.head(outer);
    if ((head.tag & 0xdf) !== primitive) throw malformed('content is no string');
    if (!(head.tag & 0x20)) {
      yield* this.primitive(head.length!);
      return;
    }
    const frames: Frame[] = [this.frame(head)];
    let gathered: Buffer[] = [];
    while (frames.length > 0) {
      const frame = frames.at(-1)!;
      const { buffered } = this.inflow;
      // Before waiting for more, what is there is handed on.
      if (gathered.length > 0 && buffered.length < HEAD) {
        yield joined(gathered);
        gathered = [];
      }
      if (!(await this.hasMore(frame))) {
        frames.pop();
        continue;
      }
      const piece = await this.head(frame);
      if ((piece.tag & 0xdf) !== OCTET_STRING) throw malformed('a piece of a string is none');
      if (piece.tag & 0x20) {
        if (frames.length >= DEEPEST_STRING) throw malformed('too deep');
        frames.push(this.frame(piece));
      } else if (piece.length! <= this.inflow.buffered.length) {
        if (piece.length! > 0) gathered.push(this.inflow.skip(piece.length!));
      } else {
        if (gathered.length > 0) yield joined(gathered);
        gathered = [];
        yield* this.primitive(piece.length!);
      }
    }
    if (gathered.length > 0) yield joined(gathered);
  }

  private async *primitive(length: number): AsyncGenerator<Buffer, void, undefined> {
    for (let left = length; left > 0; ) {
      if ((await this.inflow.hold(1)) < 1) throw malformed('content is cut');
      const piece = this.inflow.skip(Math.min(left, this.inflow.buffered.length));
      left -= piece.length;
      yield piece;
    }
  }

  private async collect(pieces: Buffer[], outer: Frame, depth: number): Promise<void> {
    if (depth > DEEPEST) throw malformed('too deep');
    const { position } = this.inflow;
    const head = await this.head(outer, (raw) => pieces.push(raw));
    this.structureBytes -= this.inflow.position - position + (head.length ?? 2);
    if (this.structureBytes < 0) throw malformed('more than there may be');
    if (head.length !== undefined) {
      pieces.push(await this.inflow.take(head.length));
      return;
    }
    const frame = this.frame(head);
    while (await this.hasMore(frame)) await this.collect(pieces, frame, depth + 1);
    pieces.push(Buffer.alloc(2));
  }

  private frame(head: Head): Frame {
    return { end: head.length === undefined ? undefined : this.inflow.position + head.length };
  }

  /** Reads tag and length; what is definite has to fit into what it is in. */
  private async head(outer?: Frame, keep?: (raw: Buffer) => void): Promise<Head> {
    let head = readHead(this.inflow.buffered, 0);
    while (!head) {
      if (!(await this.inflow.more())) throw malformed('it is cut');
      head = readHead(this.inflow.buffered, 0);
    }
    const raw = this.inflow.skip(head.bytes);
    keep?.(raw);
    if (head.length !== undefined && outer?.end !== undefined && this.inflow.position + head.length > outer.end)
      throw malformed('an element is longer than what it is in');
    return head;
  }
}

function joined(pieces: readonly Buffer[]): Buffer {
  return pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
}
