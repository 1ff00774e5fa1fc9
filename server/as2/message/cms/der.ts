/** ASN.1 that is small and whole: reading BER as it comes of peers, writing DER (X.690). */
import { MessageFailure } from '../failure';

const SEQUENCE = 0x30;
export const SET = 0x31;
export const OCTET_STRING = 0x04;
/** Structures within each other that are looked into. */
const DEEPEST = 32;

/** What is wrong with a structure. */
export function malformed(what: string): MessageFailure {
  return new MessageFailure('unexpected-processing-error', `the structure of CMS is malformed: ${what}`);
}

/** One element. */
export class Node {
  private parsed: readonly Node[] | undefined;

  /**
   * @param tag the first byte: class, whether it is constructed, and number @param raw all of it @param content without tag, length and end
   * @param depth of how many elements it is within
   */
  constructor(
    readonly tag: number,
    readonly raw: Buffer,
    readonly content: Buffer,
    readonly isIndefinite: boolean,
    private readonly depth: number,
  ) {}

  get isConstructed(): boolean {
    return (this.tag & 0x20) !== 0;
  }

  /** Its elements. */
  get children(): readonly Node[] {
    if (!this.isConstructed) throw malformed('an element has no elements');
    if (this.depth >= DEEPEST) throw malformed('too deep');
    this.parsed ??= readAll(this.content, this.depth + 1);
    return this.parsed;
  }

  child(index: number): Node {
    const child = this.children[index];
    if (!child) throw malformed('an element is missing');
    return child;
  }

  /** The object identifier. */
  get oid(): string {
    if (this.tag !== 0x06 || this.content.length === 0 || this.content.length > 64) throw malformed('an object identifier is none');
    const numbers: number[] = [];
    let value = 0;
    for (const byte of this.content) {
      value = value * 128 + (byte & 0x7f);
      if (value > Number.MAX_SAFE_INTEGER) throw malformed('an object identifier is too large');
      if (byte & 0x80) continue;
      numbers.push(value);
      value = 0;
    }
    const [first = 0, ...others] = numbers;
    const root = Math.min(2, Math.floor(first / 40));
    return [root, first - 40 * root, ...others].join('.');
  }

  /** Bytes of an OCTET STRING, or of an implicitly tagged one, also where it is in pieces. */
  get octets(): Buffer {
    return this.isConstructed ? Buffer.concat(this.children.map((child) => child.octets)) : this.content;
  }

  /** A small INTEGER. */
  get integer(): number {
    if (this.tag !== 0x02 || this.content.length === 0 || this.content.length > 4) throw malformed('a number is none');
    return this.content.readIntBE(0, this.content.length);
  }
}

/** Reads an element that is all there is. */
export function readWhole(bytes: Buffer): Node {
  const [node, ...others] = readAll(bytes, 0);
  if (!node || others.length > 0) throw malformed('there is not one element');
  return node;
}

/** Reads elements one behind the other, which are all within so many others. */
function readAll(bytes: Buffer, depth: number): Node[] {
  const nodes: Node[] = [];
  for (let at = 0; at < bytes.length; ) {
    const node = readAt(bytes, at, depth);
    nodes.push(node);
    at += node.raw.length;
  }
  return nodes;
}

function readAt(bytes: Buffer, at: number, depth: number): Node {
  if (depth > DEEPEST) throw malformed('too deep');
  const head = readHead(bytes, at);
  if (!head) throw malformed('an element is cut');
  const from = at + head.bytes;
  if (head.length !== undefined) {
    const end = from + head.length;
    if (end > bytes.length) throw malformed('an element is longer than what it is in');
    return new Node(head.tag, bytes.subarray(at, end), bytes.subarray(from, end), false, depth);
  }
  let end = from;
  while (bytes[end] !== 0 || bytes[end + 1] !== 0) end += readAt(bytes, end, depth + 1).raw.length;
  return new Node(head.tag, bytes.subarray(at, end + 2), bytes.subarray(from, end), true, depth);
}

/** The tag of an element and its length, undefined where it is indefinite. */
export interface Head {
  readonly tag: number;
  readonly length: number | undefined;
  /** How long tag and length are themselves. */
  readonly bytes: number;
}

/** Reads a head, if all of it is there. */
export function readHead(bytes: Buffer, at: number): Head | undefined {
  const tag = bytes[at];
  const first = bytes[at + 1];
  if (tag === undefined) return undefined;
  if ((tag & 0x1f) === 0x1f) throw malformed('a tag is too large');
  if (first === undefined) return undefined;
  if (first < 0x80) return { tag, length: first, bytes: 2 };
  if (first === 0x80) {
    if ((tag & 0x20) === 0) throw malformed('an element without parts has no length');
    return { tag, length: undefined, bytes: 2 };
  }
  const more = first & 0x7f;
  if (more > 8) throw malformed('a length is too large');
  if (bytes.length < at + 2 + more) return undefined;
  let length = 0;
  for (let index = 0; index < more; index++) length = length * 256 + bytes[at + 2 + index]!;
  if (length > Number.MAX_SAFE_INTEGER) throw malformed('a length is too large');
  return { tag, length, bytes: 2 + more };
}

/** Tag and length of an element, before its content. */
export function head(tag: number, length: number): Buffer {
  if (length < 0x80) return Buffer.from([tag, length]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([tag, 0x80 | bytes.length, ...bytes]);
}

export function element(tag: number, ...content: readonly Buffer[]): Buffer {
  const length = content.reduce((sum, { length }) => sum + length, 0);
  return Buffer.concat([head(tag, length), ...content]);
}

export function sequence(...content: readonly Buffer[]): Buffer {
  return element(SEQUENCE, ...content);
}

/** A SET OF, in the order that DER has (X.690 section 11.6). */
export function setOf(...content: readonly Buffer[]): Buffer {
  return element(SET, ...[...content].sort(Buffer.compare));
}

export function octetString(bytes: Buffer): Buffer {
  return element(OCTET_STRING, bytes);
}

export function integer(value: number): Buffer {
  return element(0x02, Buffer.from([value]));
}

export const NULL = Buffer.from([0x05, 0x00]);

export function oid(text: string): Buffer {
  const [first = 0, second = 0, ...others] = text.split('.').map(Number);
  const bytes: number[] = [];
  for (const value of [40 * first + second, ...others]) {
    const digits = [value % 128];
    for (let rest = Math.floor(value / 128); rest > 0; rest = Math.floor(rest / 128)) digits.unshift((rest % 128) | 0x80);
    bytes.push(...digits);
  }
  return element(0x06, Buffer.from(bytes));
}

/** An AlgorithmIdentifier. */
export function algorithm(id: string, parameters?: Buffer): Buffer {
  return parameters ? sequence(oid(id), parameters) : sequence(oid(id));
}

/** An element written again as DER: definite lengths, strings in one piece. Elements of sets are put in order where `sorts`. */
export function toDer(node: Node, sorts: boolean): Buffer {
  if (!node.isConstructed) return element(node.tag, node.content);
  if ((node.tag & 0xdf) === OCTET_STRING) return octetString(node.octets);
  const children = node.children.map((child) => toDer(child, sorts));
  return element(node.tag, ...(sorts && node.tag === SET ? children.sort(Buffer.compare) : children));
}
