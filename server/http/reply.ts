/** The answer to one request: a small one in one write, or a head with the bytes of a file behind it. */
import type { Socket } from 'node:net';
import type { Outlet } from '../files/account-files';
import { type Progress, TransferError } from '../files/progress';
import type { Pace } from '../limits/bandwidth';

const REASONS: Readonly<Record<number, string>> = {
  200: 'OK',
  201: 'Created',
  202: 'Accepted',
  204: 'No Content',
  206: 'Partial Content',
  303: 'See Other',
  304: 'Not Modified',
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  405: 'Method Not Allowed',
  409: 'Conflict',
  410: 'Gone',
  411: 'Length Required',
  412: 'Precondition Failed',
  413: 'Content Too Large',
  415: 'Unsupported Media Type',
  416: 'Range Not Satisfiable',
  417: 'Expectation Failed',
  422: 'Unprocessable Content',
  423: 'Locked',
  429: 'Too Many Requests',
  431: 'Request Header Fields Too Large',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
  505: 'HTTP Version Not Supported',
  507: 'Insufficient Storage',
};

export type Headers = Readonly<Record<string, string | undefined>>;

/** On every answer: nothing is kept or guessed at, and no other page may frame or read it. */
const ALWAYS: Headers = {
  'cache-control': 'no-store',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'; sandbox",
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000',
};

/** A head has been sent and what follows it failed: the connection can say nothing more. */
export type ReplyState = 'open' | 'sent' | 'broken';

export class Reply {
  state: ReplyState = 'open';
  /** Of the answer, once there is one. */
  status = 0;
  private further: Headers = {};

  constructor(
    private readonly socket: Socket,
    private readonly options: {
      readonly isHead: boolean;
      /** Whether the connection ends with this answer, asked when its head is sent. */
      readonly isLast: () => boolean;
    },
  ) {}

  /** What the answer says beside its own headers, whichever it is. */
  also(headers: Headers): void {
    this.further = headers;
  }

  /** `100 Continue`, where nothing else has been said yet. */
  continue(): void {
    if (this.state === 'open') this.socket.write('HTTP/1.1 100 Continue\r\n\r\n');
  }

  send(status: number, headers: Headers, body: Buffer | string = ''): void {
    if (this.state !== 'open') return;
    const bytes = Buffer.from(body as string);
    const hasBody = status !== 204 && status !== 304;
    const head = this.head(status, hasBody ? { 'content-length': String(bytes.length), ...headers } : headers);
    this.state = 'sent';
    this.socket.write(this.options.isHead || !hasBody ? head : Buffer.concat([Buffer.from(head, 'latin1'), bytes]), 'latin1');
  }

  /** The head, and an outlet for the bytes behind it: so many, or in chunks where that is not known. */
  stream(status: number, headers: Headers, options: OutletOptions & { readonly length: number | undefined }): Outlet {
    const framing: Headers = options.length === undefined ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(options.length) };
    const head = this.head(status, { ...framing, ...headers });
    this.state = 'broken'; // until its end
    return new BodyOutlet(this.socket, head, { ...options, isChunked: options.length === undefined }, () => {
      this.state = 'sent';
    });
  }

  private head(status: number, headers: Headers): string {
    this.status = status;
    const all: Headers = {
      date: new Date().toUTCString(),
      ...ALWAYS,
      ...this.further,
      ...headers,
      connection: this.options.isLast() ? 'close' : undefined,
    };
    const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${oneLine(value)}\r\n`]));
    return `HTTP/1.1 ${status} ${REASONS[status] ?? ''}\r\n${lines.join('')}\r\n`;
  }
}

/** Whatever a value was made of, it stays in its line. */
function oneLine(value: string): string {
  return value.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '?');
}

export interface OutletOptions {
  readonly progress: Progress;
  /** So long the client may take nothing. */
  readonly stallSeconds: number;
  readonly pace?: Pace;
}

/** Bytes to the client, one piece at a time, with the connection's own pace. */
class BodyOutlet implements Outlet {
  private failure: Error | undefined;
  private readonly waiting = new Set<(error: Error) => void>();
  private readonly timer: NodeJS.Timeout;
  private held = false;
  /** Goes with the first piece. */
  private head: string | undefined;
  private readonly onClose = () => this.fail(new TransferError('disconnected', 'The client closed the connection'));
  private readonly onAbort = () => this.fail(this.options.progress.signal.reason as Error);

  constructor(
    private readonly socket: Socket,
    head: string,
    private readonly options: OutletOptions & { readonly isChunked: boolean },
    private readonly onEnd: () => void,
  ) {
    this.head = head;
    const { progress, stallSeconds } = options;
    let moved = -1;
    this.timer = setInterval(
      () => {
        // While a limit of bandwidth holds the bytes back, or they are still read, it is not the client who keeps us waiting.
        const now = socket.bytesWritten - socket.writableLength;
        if (now === moved && !this.held && this.waiting.size > 0)
          this.fail(new TransferError('stalled', `The client took no data for ${stallSeconds} seconds`));
        moved = now;
      },
      (stallSeconds * 1000) / 2,
    );
    socket.on('close', this.onClose);
    progress.signal.addEventListener('abort', this.onAbort);
    if (progress.signal.aborted) this.onAbort();
    else if (socket.destroyed) this.onClose();
  }

  async send(bytes: Buffer): Promise<void> {
    const { pace, progress } = this.options;
    const most = pace?.piece ?? bytes.length;
    for (let at = 0; at < bytes.length; at += most) {
      const piece = bytes.subarray(at, at + most);
      if (pace) {
        this.held = true;
        await pace.before(piece.length, progress.signal);
        this.held = false;
      }
      await this.write(piece);
      progress.bytes += piece.length;
    }
  }

  async end(): Promise<void> {
    if (this.options.isChunked) await this.untilDone((done) => this.socket.write(`${this.takeHead()}0\r\n\r\n`, 'latin1', done));
    else if (this.head !== undefined) await this.untilDone((done) => this.socket.write(this.takeHead(), 'latin1', done));
    this.letGo();
    this.onEnd();
  }

  abandon(): void {
    this.letGo();
    this.socket.destroy();
  }

  private write(piece: Buffer): Promise<void> {
    return this.untilDone((done) => {
      this.socket.cork();
      const before = `${this.takeHead()}${this.options.isChunked ? `${piece.length.toString(16)}\r\n` : ''}`;
      if (before !== '') this.socket.write(before, 'latin1');
      this.socket.write(piece, this.options.isChunked ? undefined : done);
      if (this.options.isChunked) this.socket.write('\r\n', 'latin1', done);
      this.socket.uncork();
    });
  }

  private takeHead(): string {
    const head = this.head ?? '';
    this.head = undefined;
    return head;
  }

  private untilDone(start: (done: (error?: Error | null) => void) => void): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.failure) return reject(this.failure);
      this.waiting.add(reject);
      start((error) => {
        if (error) return; // `close` of the socket says it better
        this.waiting.delete(reject);
        resolve();
      });
    });
  }

  private letGo(): void {
    clearInterval(this.timer);
    this.socket.off('close', this.onClose);
    this.options.progress.signal.removeEventListener('abort', this.onAbort);
  }

  private fail(error: Error): void {
    if (this.failure) return;
    this.failure = error;
    this.letGo();
    for (const reject of this.waiting) reject(error);
    this.waiting.clear();
    this.socket.destroy();
  }
}
