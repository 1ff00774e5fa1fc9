/**
 * Uploads that go on after a lost connection (tus 1.0). One stays open between its requests, as a transfer that waits: its bytes are hashed and scanned
 * as they come and lie where no client sees them, until the last one is there. It belongs to the process that began it.
 */
import { randomBytes } from 'node:crypto';
import type { AccountFiles, Outcome, Upload } from '../files/account-files';
import type { Sink, Source } from '../files/source';
import type { Body } from '../http/body';

/** Of one account or one link, of all links of an account together, and of all of a process: each holds a piece of memory. */
const MOST_OF_ACCOUNT = 32;
const MOST_OF_LINKS = 64;
const MOST_IN_ALL = 512;
/** Those that have ended are told of to who asks once more, the newest. */
const MOST_ENDED = 1_024;
/** How often those that were left are looked for. */
const LOOK_MS = 10_000;

/** A clock that nobody sets. Milliseconds. */
const now = () => performance.now();

/** Which of the processes this is. */
interface Place {
  readonly index: number;
  readonly count: number;
}

export class TooManyUploads extends Error {}

/** `under`: absent means its owner's. */
interface BeginningUpload extends Pick<OpenUpload, 'owner' | 'path' | 'length'> {
  readonly under?: string;
  readonly files: AccountFiles;
}

/** An upload's bytes, out of several requests. */
class Gathered implements Source {
  sink: Sink | undefined;
  /** The request that brings bytes now. */
  private body: Body | undefined;
  private announceFlow!: () => void;
  readonly flows = new Promise<void>((resolve) => {
    this.announceFlow = resolve;
  });
  /** Fulfilled when no connection writes into the sink any more. */
  private quiet: Promise<void> = Promise.resolve();

  flowInto(sink: Sink): void {
    this.sink = sink;
    this.announceFlow();
  }

  /** Takes all of a request's body. False where another request was sooner, or `mayBegin` says so. Rejected where the connection ends before; what came has been taken. */
  async take(body: Body, stallSeconds: number, mayBegin: () => boolean): Promise<boolean> {
    await this.interrupt();
    await this.flows;
    // Several may have waited for the one that was interrupted.
    if (this.body || !mayBegin()) return false;
    const { sink } = this;
    if (!sink) return true;
    this.body = body;
    try {
      await body.flowInto(sink, stallSeconds);
      this.body = undefined;
      return true;
    } catch (error) {
      // Until the connection is gone, bytes may still be decrypted into the space that it was given.
      if (this.body === body) this.quiet = body.letGo();
      this.body = undefined;
      throw error;
    }
  }

  /** Ends a request that still brings bytes: its client has come again on another connection. */
  async interrupt(): Promise<void> {
    const { body } = this;
    this.body = undefined;
    if (body) this.quiet = body.cut();
    await this.quiet;
  }

  resume(): void {
    this.body?.resume();
  }

  async letGo(): Promise<void> {
    this.sink = undefined;
    this.announceFlow();
    const { body } = this;
    this.body = undefined;
    if (body) this.quiet = body.letGo();
    await this.quiet;
  }
}

export class OpenUpload {
  readonly id: string;
  readonly outcome: Promise<Outcome>;
  /** Requests that bring bytes, or wait to, or for what becomes of them: it is hashed, scanned and put into place. */
  private uses = 0;
  private leftAt = now();
  private readonly source = new Gathered();
  isEnded = false;
  endedAt = 0;

  constructor(
    process: number,
    /** Whose it is: the account's name, or what names a link. */
    readonly owner: string,
    /** By whose leave: the account's, or that of all of its links together. */
    readonly under: string,
    readonly path: string,
    /** Of the whole file. Bytes. */
    readonly length: number,
    private readonly upload: Upload,
  ) {
    this.id = `${process}-${randomBytes(16).toString('base64url')}`;
    upload.progress.total = length;
    this.outcome = upload
      .receive(async () => this.source)
      .finally(() => {
        this.isEnded = true;
        this.endedAt = now();
      });
  }

  get progress() {
    return this.upload.progress;
  }

  /** How long nobody has gone on with it. Milliseconds. */
  get idle(): number {
    return this.uses > 0 ? 0 : now() - this.leftAt;
  }

  /** Bytes that have come. */
  get offset(): number {
    return this.upload.progress.bytes;
  }

  /** Takes what a request brings from that byte on; it ends with its last byte, with the connection, or with the upload. False where other bytes came before. */
  async take(body: Body, stallSeconds: number, offset: number): Promise<boolean> {
    return this.used(() => Promise.race([this.source.take(body, stallSeconds, () => this.offset === offset), this.outcome.then(() => true)]));
  }

  /** Nobody brings bytes any more, so that `offset` stays as it is. */
  async settled(): Promise<number> {
    this.leftAt = now();
    await this.source.interrupt();
    return this.offset;
  }

  /** All has come. */
  async finish(): Promise<Outcome> {
    return this.used(async () => {
      await this.source.flows;
      this.source.sink?.end();
      return this.outcome;
    });
  }

  async giveUp(): Promise<void> {
    this.upload.progress.abort();
    await this.outcome;
  }

  private async used<T>(act: () => Promise<T>): Promise<T> {
    this.uses += 1;
    try {
      return await act();
    } finally {
      this.uses -= 1;
      this.leftAt = now();
    }
  }
}

export class Uploads {
  private readonly open = new Map<string, OpenUpload>();
  /** Those that are about to be open. */
  private readonly beginning = new Set<Pick<OpenUpload, 'owner' | 'under'>>();
  /** In the order of their end. */
  private readonly ended = new Map<string, OpenUpload>();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly idleSeconds: number,
    private readonly place: Place,
  ) {
    this.timer = setInterval(() => this.look(), Math.min(LOOK_MS, idleSeconds * 500)).unref();
  }

  /** Throws what `openUpload` throws, and TooManyUploads. */
  async begin({ owner, under = owner, files, path, length }: BeginningUpload, isNew: boolean): Promise<OpenUpload> {
    const all = [...this.open.values(), ...this.beginning];
    const [own, beside] = [all.filter((one) => one.owner === owner), all.filter((one) => one.under === under)];
    if (all.length >= MOST_IN_ALL || own.length >= MOST_OF_ACCOUNT || beside.length >= MOST_OF_LINKS) throw new TooManyUploads();
    const beginning = { owner, under };
    this.beginning.add(beginning);
    try {
      const upload = new OpenUpload(this.place.index, owner, under, path, length, await files.openUpload('PUT', path, { kind: isNew ? 'create' : 'replace' }));
      this.open.set(upload.id, upload);
      void upload.outcome.then(() => this.remember(upload));
      return upload;
    } finally {
      this.beginning.delete(beginning);
    }
  }

  find(id: string, owner: string): OpenUpload | undefined {
    const upload = this.open.get(id) ?? this.ended.get(id);
    return upload?.owner === owner ? upload : undefined;
  }

  /** Whether it belongs to another process of this server. */
  isElsewhere(id: string): boolean {
    const process = Number(/^(\d{1,3})-/.exec(id)?.[1] ?? -1);
    return process >= 0 && process < this.place.count && process !== this.place.index;
  }

  /** When it is given up, if nobody goes on with it. */
  expiryOf({ idle }: OpenUpload): Date {
    return new Date(Date.now() + this.idleSeconds * 1000 - idle);
  }

  async close(): Promise<void> {
    clearInterval(this.timer);
    await Promise.all([...this.open.values()].map((upload) => upload.giveUp()));
  }

  private remember(upload: OpenUpload): void {
    this.open.delete(upload.id);
    this.ended.set(upload.id, upload);
    if (this.ended.size > MOST_ENDED) this.ended.delete(this.ended.keys().next().value!);
  }

  private look(): void {
    for (const upload of this.open.values()) if (!upload.isEnded && upload.idle > this.idleSeconds * 1000) void upload.giveUp();
    const before = now() - this.idleSeconds * 1000;
    // By no timers of their own: each would hold on to its upload for as long, however many end.
    for (const [id, { endedAt }] of this.ended) {
      if (endedAt >= before) break;
      this.ended.delete(id);
    }
  }
}
