/**
 * HTTP/1.1 for the two things that move bytes, uploads and downloads of objects: a body leaves from the memory it lies in, and lands in the memory
 * it is meant for. Node's own client makes a buffer and a few events for every 64 KiB, which is most of what a download costs.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';

export interface WireOptions {
  /** Connections at once; more requests wait for one. */
  readonly connections: number;
  readonly connectMs: number;
  /** How long the other end may be silent. */
  readonly silentMs: number;
  /** Only in tests: authorities that are trusted instead of the well-known ones. */
  readonly ca?: string;
}

export interface WireRequest {
  readonly isSecure: boolean;
  readonly host: string;
  readonly port: number;
  readonly method: string;
  /** With its query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: readonly Buffer[];
  /** Where the body of a successful answer goes; absent: with the answer. */
  readonly landing?: Landing;
  readonly signal?: AbortSignal;
}

/** Where a body lands. */
export interface Landing {
  /** Room for the next bytes, at least one; asked for while bytes are missing. */
  space(): Buffer;
  took(bytes: number): void;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Empty where the body lands. */
  readonly body: Buffer;
  /** Fulfilled when the body has landed. */
  readonly landed: Promise<void>;
}

/** Connections that nobody uses for so long are closed. S3 keeps them for about twenty seconds. */
const IDLE_MS = 15_000;
/** The longest head of an answer. */
const LONGEST_HEAD = 64 * 1024;
/** Heads and small bodies are read into this; it is looked at before anything else can be read. */
const scratch = Buffer.allocUnsafeSlow(64 * 1024);

/** An error that the SDK takes for one of the network: the request may be sent again. */
function broken(message: string): Error {
  return Object.assign(new Error(message), { code: 'ECONNRESET', name: 'TimeoutError' });
}

export class Wire {
  private readonly idle = new Map<string, Line[]>();
  private readonly waiting: (() => void)[] = [];
  private readonly lines = new Set<Line>();

  constructor(private readonly options: WireOptions) {}

  /** Fulfilled when the head of the answer is there, and its body where it does not land. */
  async send(request: WireRequest): Promise<Answer> {
    request.signal?.throwIfAborted();
    const place = `${request.isSecure ? 'https' : 'http'}://${request.host}:${request.port}`;
    for (;;) {
      const used = this.idle.get(place)?.pop();
      if (!used && this.lines.size >= this.options.connections) {
        await this.room();
        continue;
      }
      const line = used ?? this.open(request);
      try {
        return await line.exchange(request, () => this.free(place, line));
      } catch (error) {
        // The other end had closed a connection that was idle; it has not seen the request.
        if (used && !line.heard && !request.signal?.aborted) continue;
        throw error;
      }
    }
  }

  private open(request: WireRequest): Line {
    const line = new Line(request, this.options, () => {
      this.lines.delete(line);
      for (const idle of this.idle.values()) {
        const at = idle.indexOf(line);
        if (at !== -1) idle.splice(at, 1);
      }
      this.waiting.shift()?.();
    });
    this.lines.add(line);
    return line;
  }

  /** Fulfilled when there may be a connection. Idle ones to another place make room. */
  private room(): Promise<void> {
    for (const idle of this.idle.values()) idle.shift()?.close();
    return new Promise((resolve) => this.waiting.push(resolve));
  }

  private free(place: string, line: Line): void {
    const idle = this.idle.get(place) ?? [];
    this.idle.set(place, idle);
    idle.push(line);
    this.waiting.shift()?.();
  }

  close(): void {
    for (const line of this.lines) line.close();
  }
}

interface Exchange {
  readonly request: WireRequest;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: Error) => void;
  readonly free: () => void;
  readonly land: { resolve(): void; reject(error: Error): void };
  readonly landed: Promise<void>;
}

/** One connection: an exchange at a time. */
class Line {
  private readonly socket: Socket | TLSSocket;
  private current: Exchange | undefined;
  private head: Buffer = Buffer.alloc(0);
  private answer: { readonly status: number; readonly headers: Record<string, string>; body: Buffer; isLanding: boolean } | undefined;
  /** Bytes of the body that are missing; undefined where it is in chunks. */
  private missing: number | undefined = 0;
  private isWritten = false;
  /** Whether anything of the answer has come. */
  heard = false;
  private readonly connecting: NodeJS.Timeout;

  constructor(
    { isSecure, host, port }: WireRequest,
    private readonly options: WireOptions,
    closed: () => void,
  ) {
    const onread = { buffer: () => this.space(), callback: (bytes: number, into: Uint8Array) => this.took(bytes, into) };
    const common = { host, port, onread, noDelay: true, keepAlive: true };
    this.socket = isSecure ? connectTls({ ...common, servername: host, ca: options.ca }) : connectTcp(common);
    this.connecting = setTimeout(() => this.fail(broken('no connection to S3')), options.connectMs);
    this.socket
      .once(isSecure ? 'secureConnect' : 'connect', () => clearTimeout(this.connecting))
      .on('timeout', () => this.fail(broken('S3 is silent')))
      .on('error', (error) => this.fail(error))
      .on('close', () => {
        clearTimeout(this.connecting);
        this.fail(broken('S3 closed the connection'));
        closed();
      });
  }

  exchange(request: WireRequest, free: () => void): Promise<Answer> {
    return new Promise((resolve, reject) => {
      let land!: Exchange['land'];
      const landed = new Promise<void>((resolve, reject) => {
        land = { resolve, reject };
      });
      landed.catch(() => {}); // awaited by who wants the body
      const giveUp = () => this.fail(request.signal!.reason as Error);
      const done = () => request.signal?.removeEventListener('abort', giveUp);
      landed.finally(done).catch(() => {});
      request.signal?.addEventListener('abort', giveUp, { once: true });
      this.current = { request, resolve, reject, free, land, landed };
      this.heard = false;
      this.isWritten = false;
      this.socket.ref();
      this.socket.setTimeout(this.options.silentMs);
      this.socket.cork();
      this.socket.write(headOf(request), 'latin1');
      for (const [index, piece] of request.body.entries()) this.socket.write(piece, index === request.body.length - 1 ? () => this.written() : undefined);
      if (request.body.length === 0) this.isWritten = true;
      this.socket.uncork();
    });
  }

  close(): void {
    this.socket.destroy();
  }

  private written(): void {
    this.isWritten = true;
  }

  private space(): Uint8Array {
    const { answer, current, missing } = this;
    if (!answer?.isLanding || !missing) return scratch;
    const space = current!.request.landing!.space();
    return space.length > missing ? space.subarray(0, missing) : space;
  }

  private took(bytes: number, into: Uint8Array): boolean {
    if (!this.current)
      this.close(); // nobody has asked
    else if (this.answer?.isLanding && into !== scratch) {
      this.current.request.landing!.took(bytes);
      this.missing! -= bytes;
      if (this.missing === 0) this.end();
    } else this.read(Buffer.from(into.subarray(0, bytes)));
    return true;
  }

  private read(bytes: Buffer): void {
    this.heard = true;
    if (this.answer) {
      this.readBody(bytes);
      return;
    }
    this.head = this.head.length === 0 ? bytes : Buffer.concat([this.head, bytes]);
    const end = this.head.indexOf('\r\n\r\n');
    if (end === -1) {
      if (this.head.length > LONGEST_HEAD) this.fail(broken('the head of an answer has no end'));
      return;
    }
    const [head, rest] = [this.head.toString('latin1', 0, end), this.head.subarray(end + 4)];
    this.head = Buffer.alloc(0);
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(head)?.[1]);
    if (!status) this.fail(broken('an answer is no HTTP'));
    else if (status >= 200) {
      this.beginAnswer(status, head);
      this.readBody(rest);
    } else if (rest.length > 0) this.read(rest);
  }

  private beginAnswer(status: number, head: string): void {
    const headers: Record<string, string> = {};
    for (const line of head.split('\r\n').slice(1)) {
      const colon = line.indexOf(':');
      if (colon > 0) headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
    }
    const { request, resolve, landed } = this.current!;
    const isChunked = /\bchunked\b/i.test(headers['transfer-encoding'] ?? '');
    const hasNone = request.method === 'HEAD' || status === 204 || status === 304;
    this.missing = hasNone ? 0 : isChunked ? undefined : Number(headers['content-length'] ?? 0);
    const isLanding = status < 300 && request.landing !== undefined && this.missing !== undefined;
    if (status < 300 && request.landing && !isLanding) this.fail(broken('S3 does not say how long an object is'));
    else if (isLanding && status === 200 && request.headers['range']) this.fail(broken('S3 gave the whole of an object instead of a range'));
    else this.answer = { status, headers, body: Buffer.alloc(0), isLanding };
    if (this.answer && isLanding) resolve({ status, headers, body: Buffer.alloc(0), landed });
  }

  private readBody(bytes: Buffer): void {
    const answer = this.answer;
    if (!answer) return; // failed
    if (answer.isLanding) {
      const { landing } = this.current!.request;
      for (let at = 0; at < bytes.length && this.missing! > 0; ) {
        const taken = bytes.copy(landing!.space(), 0, at, Math.min(bytes.length, at + this.missing!));
        landing!.took(taken);
        at += taken;
        this.missing! -= taken;
      }
    } else answer.body = answer.body.length === 0 ? bytes : Buffer.concat([answer.body, bytes]);
    if (this.missing === undefined) {
      const body = unchunked(answer.body);
      if (!body) return;
      answer.body = body;
      this.end();
    } else if (answer.isLanding ? this.missing === 0 : answer.body.length >= this.missing) this.end();
  }

  private end(): void {
    const { resolve, land, landed, free } = this.current!;
    const { status, headers, body, isLanding } = this.answer!;
    this.current = undefined;
    this.answer = undefined;
    this.missing = 0;
    // An answer before all was sent is a refusal, and the rest of the body has nowhere to go.
    if (!this.isWritten || /\bclose\b/i.test(headers['connection'] ?? '')) this.close();
    else {
      this.socket.setTimeout(IDLE_MS);
      this.socket.unref();
      free();
    }
    land.resolve();
    if (!isLanding) resolve({ status, headers, body, landed });
  }

  private fail(error: Error): void {
    const { current } = this;
    this.current = undefined;
    this.answer = undefined;
    this.missing = 0;
    this.close();
    current?.reject(error);
    current?.land.reject(error);
  }
}

function headOf({ method, target, headers }: WireRequest): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return `${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`;
}

/** The body without its chunks (RFC 9112 section 7.1); undefined while something is missing. */
function unchunked(raw: Buffer): Buffer | undefined {
  const chunks: Buffer[] = [];
  for (let at = 0; ; ) {
    const end = raw.indexOf('\r\n', at);
    if (end === -1) return undefined;
    const size = Number.parseInt(raw.toString('latin1', at, end), 16);
    if (!(size > 0)) return raw.indexOf('\r\n\r\n', end) === -1 ? undefined : Buffer.concat(chunks);
    if (raw.length < end + 2 + size + 2) return undefined;
    chunks.push(raw.subarray(end + 2, end + 2 + size));
    at = end + 2 + size + 2;
  }
}
