/** Answers to requests (section 7 of the draft), each sent as one packet. */
import type { Entry } from '../../files/account-files';
import type { Channel } from '../connection/channel';
import { WireWriter } from '../wire';
import { framed, longName, replies, statuses, VERSION, writeAttributes } from './protocol';

/** Fulfilled when there is room for more; nothing to wait for where there is. */
export type Sent = Promise<unknown> | boolean;

/** Words of answers that say nothing of their own, as they are sent. */
const words = new Map<string, Buffer>();

export class Replies {
  /** For short ones: what it holds is sent before the next is written. */
  private readonly short = new WireWriter(128);

  constructor(private readonly channel: Channel) {}

  version(extensions: Readonly<Record<string, string>>): Sent {
    const version = new WireWriter().uint32(0).byte(replies.version).uint32(VERSION);
    for (const [name, revision] of Object.entries(extensions)) version.string(name).string(revision);
    return this.channel.send(framed(version));
  }

  /** All went well. `text`: one of few. */
  ok(id: number, text: string): Sent {
    return this.said(id, statuses.ok, text);
  }

  /** There is no more. `text`: one of few. */
  end(id: number, text: string): Sent {
    return this.said(id, statuses.eof, text);
  }

  status(id: number, status: number, text: string | Buffer): Sent {
    return this.channel.send(framed(this.begin(replies.status, id).uint32(status).string(text).string(ENGLISH)));
  }

  handle(id: number, handle: Buffer): Sent {
    return this.channel.send(framed(this.begin(replies.handle, id).string(handle)));
  }

  attributes(id: number, entry: Pick<Entry, 'type' | 'size' | 'modified'>): Sent {
    return this.channel.send(framed(writeAttributes(this.begin(replies.attributes, id), entry)));
  }

  /** The bytes stay as they are until it is sent. */
  data(id: number, parts: readonly Buffer[], bytes: number): Sent {
    const header = this.begin(replies.data, id).uint32(bytes).done();
    header.writeUInt32BE(header.length - 4 + bytes, 0);
    return this.channel.send(header, ...parts);
  }

  name(id: number, path: string): Sent {
    return this.channel.send(framed(this.begin(replies.name, id).uint32(1).string(path).string(path).uint32(0)));
  }

  /** Answers as well how many bytes it takes. */
  names(id: number, entries: readonly Entry[]): { readonly bytes: number; readonly sent: Sent } {
    const writer = new WireWriter(64 * 1024).uint32(0).byte(replies.name).uint32(id).uint32(entries.length);
    for (const entry of entries) writeAttributes(writer.string(entry.name).string(longName(entry)), entry);
    const packet = framed(writer);
    return { bytes: packet.length, sent: this.channel.send(packet) };
  }

  /** What an extension answers: numbers of 64 bits. */
  extended(id: number, numbers: readonly number[]): Sent {
    const writer = this.begin(replies.extended, id);
    for (const number of numbers) writer.uint64(number);
    return this.channel.send(framed(writer));
  }

  private said(id: number, status: number, text: string): Sent {
    let bytes = words.get(text);
    if (!bytes) {
      bytes = Buffer.from(text);
      words.set(text, bytes);
    }
    return this.status(id, status, bytes);
  }

  private begin(type: number, id: number): WireWriter {
    return this.short.again().uint32(0).byte(type).uint32(id);
  }
}

const ENGLISH = Buffer.from('en');
