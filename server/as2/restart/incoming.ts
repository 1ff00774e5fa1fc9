/**
 * The body of a message that may come in several goes (draft-harding-as2-restart-07). The first request is opened while it comes, and kept beside that; one that goes on is kept first, and
 * opened from its beginning when all of it is there, so that each brings it further, however long the beginning is.
 */
import { StorageError } from '../../files/account-files';
import { Gathered } from '../gathered';
import type { Headers } from '../message';
import { type BodyRange, bodyRange, transferId } from './headers';
import type { KeptBodies, Known, Open, TransferName } from './kept-bodies';
import { OtherBytes, STRETCH, type Stretched, type StretchWriter } from './stretched';

/** The part is not what can be taken now. */
export class WrongRange extends Error {
  constructor(
    /** Bytes that are kept. */
    readonly kept: number,
    message: string,
  ) {
    super(message);
  }
}

/** It can't go on now, but later: the storage does not answer, or too many do so at once. */
export class NotNow extends Error {}

export interface Asked {
  readonly bodies: KeptBodies;
  readonly headers: Headers;
  /** Of this request, where it is known. Bytes. */
  readonly length: number | undefined;
  readonly partner: { readonly as2Id: string; readonly restart: { readonly receive: boolean } };
  /** The longest message that is taken. Bytes. */
  readonly most: number;
  readonly messageId: string;
}

/** What to do with a request's body. */
export interface Incoming {
  /** The message was taken before, and only its answer did not arrive. */
  readonly isOver: boolean;
  /** The whole body of the message, of which this request brings a part. Throws WrongRange, NotNow, OtherBytes before the first byte comes out. */
  whole(part: AsyncIterable<Buffer>): AsyncIterable<Buffer>;
  /** What became of it: taken, refused for good, or to be tried again. */
  ended(how: 'taken' | 'refused' | 'not'): Promise<void>;
}

/** Throws WrongRange. */
export async function incoming(asked: Asked): Promise<Incoming> {
  const { bodies, headers, length, partner, most, messageId } = asked;
  const range = bodyRange(headers);
  const id = partner.restart.receive ? transferId(headers) : undefined;
  const name = id === undefined ? undefined : { partner: partner.as2Id, id };
  const known = name && (range !== undefined || isLong(length, asked)) ? await bodies.find(name) : undefined;
  const open = known?.open;
  const kept = async () => known?.over?.total ?? (name && open ? await bodies.bodyOf(name, open).size() : 0);
  const wrong = async (why: string) => new WrongRange(await kept(), why);
  if (range === 'malformed') {
    if (name) throw await wrong('Content-Range can not be understood.');
    return AS_IT_IS; // it was never looked at
  }
  if (range && range.last !== range.total - 1) throw await wrong('Content-Range has to go to the last byte of the message.');
  if (range && length !== undefined && length !== range.last - range.first + 1) throw await wrong('Content-Range and Content-Length do not fit.');
  const total = range?.total ?? length;
  if (!range || range.first === 0) {
    if (!name || !known || total === undefined || !isLong(total, asked)) return AS_IT_IS;
    return new Beginning(bodies, name, known, total, messageId);
  }
  const { first } = range;
  if (name && known?.over) {
    const { total: whole, messageId: taken } = known.over;
    if (whole !== range.total || first !== whole - 1) throw await wrong('All of this message has come.');
    if (taken === messageId) return new Unheard(bodies, name, open);
    await bodies.forget(name);
    throw new WrongRange(0, 'Another message had this id; send all of this one.');
  }
  if (!name || !open || open.total !== range.total || range.total > most) throw await wrong('Nothing of such a message is kept.');
  const size = await kept();
  // Who has sent all of it, and heard nothing, sends its last byte again (section 3.2).
  const isLastAgain = size === range.total && first === size - 1;
  if (first !== size && !isLastAgain) throw new WrongRange(size, `The part that is missing begins at ${size}.`);
  return new GoingOn({ bodies, name, open, messageId }, range, size);
}

function isLong(total: number | undefined, { bodies, most }: Asked): boolean {
  return total !== undefined && total >= bodies.settings.fromBytes && total <= most;
}

/** A message that comes as a whole, and of which nothing is kept. */
const AS_IT_IS: Incoming = { isOver: false, whole: (part) => part, ended: async () => {} };

/** A message that was taken. What is kept of it, a crash has left. */
class Unheard implements Incoming {
  readonly isOver = true;

  constructor(
    private readonly bodies: KeptBodies,
    private readonly name: TransferName,
    private readonly open: Open | undefined,
  ) {}

  whole(part: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    return part;
  }

  async ended(how: 'taken' | 'refused' | 'not'): Promise<void> {
    if (how === 'not') await this.bodies.forget(this.name);
    else if (this.open) await this.bodies.remove(this.name);
  }
}

/** The first request. What goes wrong with keeping is no reason not to take the message. */
class Beginning implements Incoming {
  readonly isOver = false;
  /** Until there is a stretch of it, it takes nobody's place. */
  private early: Gathered | undefined = new Gathered();
  private writer: StretchWriter | undefined;
  private hasBegun = false;
  private giveBack: (() => void) | undefined;

  constructor(
    private readonly bodies: KeptBodies,
    private readonly name: TransferName,
    private readonly known: Known,
    private readonly total: number,
    private readonly messageId: string,
  ) {}

  async *whole(part: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    let end = 0;
    try {
      for await (const piece of part) {
        end += piece.length;
        if (end > this.total) throw new WrongRange(0, 'The message is longer than it says.');
        await this.keep(piece);
        yield piece;
      }
      if (end < this.total) throw new WrongRange(end, 'The message ends before what Content-Range says.');
    } catch (error) {
      await this.writer?.end().catch(() => {}); // what was kept before stays
      this.writer = undefined;
      throw error;
    }
  }

  private async keep(piece: Buffer): Promise<void> {
    try {
      if (this.early) {
        if (!this.bodies.takeEarly(piece.length)) return this.forgetEarly();
        this.early.add(piece);
        if (this.early.bytes < STRETCH) return;
        const { pieces } = this.early;
        this.forgetEarly();
        this.giveBack = this.bodies.takePlace();
        if (!this.giveBack) return;
        const body = await this.bodies.begin(this.name, this.total, this.known);
        this.writer = body?.writer(0);
        this.hasBegun = body !== undefined;
        for (const one of pieces) await this.writer?.add(one);
      } else await this.writer?.add(piece);
    } catch {
      this.writer = undefined;
    }
  }

  private forgetEarly(): void {
    if (this.early) this.bodies.giveEarly(this.early.bytes);
    this.early = undefined;
  }

  async ended(how: 'taken' | 'refused' | 'not'): Promise<void> {
    this.forgetEarly();
    try {
      if (!this.hasBegun) {
        // What was kept of an attempt before is of no use any more.
        if (how !== 'not' && this.known.open) await this.bodies.remove(this.name);
      } else if (how === 'taken') await this.bodies.taken(this.name, { total: this.total, messageId: this.messageId });
      else if (how === 'refused') await this.bodies.remove(this.name);
      else await this.writer?.end();
    } finally {
      this.writer = undefined;
      this.giveBack?.();
    }
  }
}

/** One that brings the rest, or a further part of it. */
class GoingOn implements Incoming {
  readonly isOver = false;
  private readonly body: Stretched;

  constructor(
    private readonly parts: { readonly bodies: KeptBodies; readonly name: TransferName; readonly open: Open; readonly messageId: string },
    private readonly range: BodyRange,
    /** Bytes that are kept. */
    private readonly size: number,
  ) {
    this.body = parts.bodies.bodyOf(parts.name, parts.open);
  }

  async *whole(part: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    try {
      await this.gather(part);
      yield* this.body.read();
    } catch (error) {
      // What the storage can't do is no fault of the message.
      throw error instanceof StorageError ? new NotNow(error.message, { cause: error }) : error;
    }
  }

  private async gather(part: AsyncIterable<Buffer>): Promise<void> {
    const { bodies, name, open } = this.parts;
    const giveBack = bodies.takePlace();
    if (!giveBack) throw new NotNow('too many messages go on at once');
    try {
      await bodies.used(name, open);
      if (this.size === this.range.total) await this.compareLast(part);
      else await this.take(part);
    } finally {
      giveBack();
    }
  }

  private async take(part: AsyncIterable<Buffer>): Promise<void> {
    const { first, total } = this.range;
    const writer = this.body.writer(first);
    let end = first;
    try {
      for await (const piece of part) {
        if (end + piece.length > total) throw new WrongRange(end, 'The message is longer than Content-Range says.');
        await writer.add(piece);
        end += piece.length;
      }
    } finally {
      await writer.end();
    }
    if (end < total) throw new WrongRange(end, 'The message ends before what Content-Range says.');
  }

  private async compareLast(part: AsyncIterable<Buffer>): Promise<void> {
    const pieces: Buffer[] = [];
    for await (const piece of part) {
      pieces.push(piece);
      if (pieces.reduce((sum, { length }) => sum + length, 0) > 1) throw new WrongRange(this.size, 'The message is longer than Content-Range says.');
    }
    const sent = Buffer.concat(pieces);
    for await (const piece of this.body.read(this.size - 1)) if (!piece.equals(sent)) throw new OtherBytes('the last byte is another one');
  }

  async ended(how: 'taken' | 'refused' | 'not'): Promise<void> {
    const { bodies, name, messageId } = this.parts;
    if (how === 'taken') await bodies.taken(name, { total: this.range.total, messageId });
    else if (how === 'refused') await bodies.remove(name);
  }
}

/** How many bytes of a message are kept, for who asks by HEAD. */
export async function bytesKept({ bodies, headers, partner }: Pick<Asked, 'bodies' | 'headers' | 'partner'>): Promise<number> {
  const id = transferId(headers);
  if (id === undefined) return 0;
  const name = { partner: partner.as2Id, id };
  const { open, over } = await bodies.find(name);
  return over?.total ?? (open ? await bodies.bodyOf(name, open).size() : 0);
}
