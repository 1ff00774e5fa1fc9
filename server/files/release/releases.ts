/**
 * What happens after an upload became visible: a command, an event. Nobody waits for it, and nothing of it can undo the upload. The event is
 * written down before the upload becomes visible and kept until EventBridge and each webhook have it, so that it is delivered at least once, whatever ends
 * this process; the command is started once, or not at all where the process ends before.
 */
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import type { Audit } from '../../audit/event';
import type { ServerConfig } from '../../config';
import { type Storage, StorageError } from '../storage/storage';
import { type ReleaseDetail, type ReleasedUpload, releaseEvent } from './event';
import { type Begun, begunAt, type Destination, destinationOf, Outbox, type Place } from './outbox';
import { Queue } from './queue';
import { type Letter, Sender } from './sender';
import { Webhook } from './webhook';
import { type Parcel, WebhookSender } from './webhook-sender';

/** What an upload is made visible by; `held`: it becomes visible later, and somebody else tells of it. */
type Commit = () => Promise<'visible' | 'held'>;

export interface ReleaseParts {
  readonly audit: Audit;
  /** Where it is looked up whether an upload became visible before a crash. */
  readonly storage: Storage;
  /** Which of the workers this is. */
  readonly place: Place;
  /** How often it is looked for what an operator's command has put into the outbox. Milliseconds. Default: 10,000. */
  readonly lookMs?: number;
}

/** So long after its beginning an upload is looked for whose end nobody saw: a request that was under way to S3 may still come true. */
const LOOKED_FOR_MS = 300_000;
const LOOK_AGAIN_MS = 30_000;
const LOOK_MS = 10_000;
/** Clocks of storages and hosts differ by less. */
const CLOCKS_MS = 60_000;

export class Releases {
  private readonly queue: Queue;
  private readonly events: EventBridgeClient | undefined;
  private readonly senders = new Map<Destination, Sender | WebhookSender>();
  /** Webhooks that take nothing, and why. */
  private readonly down = new Map<string, string>();
  private readonly timers = new Set<NodeJS.Timeout>();

  private constructor(
    private readonly config: ServerConfig['afterRelease'],
    private readonly parts: ReleaseParts,
    private readonly outbox: Outbox | undefined,
  ) {
    this.queue = new Queue(config.commandsAtOnce);
    if (!outbox) return;
    for (const webhook of config.webhooks) this.senders.set(webhook.name, this.webhookSender(webhook));
    if (config.eventBus === undefined) return;
    // A network that swallows everything is noticed; what fails is tried again below, for as long as it takes.
    this.events = new EventBridgeClient({ maxAttempts: 2, requestHandler: { connectionTimeout: 5_000, requestTimeout: 10_000, throwOnRequestTimeout: true } });
    const sender = new Sender({
      events: this.events,
      state: (state, detail) => parts.audit.record({ kind: 'health', part: 'events', state, detail }),
      open: (name) => this.letterOf(name),
    });
    this.senders.set('', sender);
  }

  /** Takes up what was left when the process before ended. Throws an Error for a person where the folder can't be used. */
  static async open(config: ServerConfig['afterRelease'], parts: ReleaseParts): Promise<Releases> {
    const outbox = destinationsOf(config).length === 0 ? undefined : await Outbox.open(config.outbox, parts.place, config.outboxEvents);
    const releases = new Releases(config, parts, outbox);
    if (outbox) {
      await releases.send(outbox.left.due);
      for (const name of outbox.left.begun) await releases.lookFor(name);
      if (parts.place.index === 0) releases.every(parts.lookMs ?? LOOK_MS, async () => releases.send(await outbox.found()));
    }
    return releases;
  }

  /** Events that wait for EventBridge, or for a webhook. */
  get waiting(): number {
    return [...this.senders.values()].reduce((sum, { size }) => sum + size, 0);
  }

  /**
   * Makes an upload visible, and sees to what follows. Throws what `commit` throws, and a StorageError before it where the event could not be
   * written down: `commit` is not called then.
   */
  async release(upload: ReleasedUpload, home: string, commit: Commit): Promise<'visible' | 'held'> {
    const { storage } = this.config;
    const detail: ReleaseDetail = { id: randomUUID(), ...(storage === undefined ? {} : { storage }), ...upload };
    const name = await this.outbox?.begin({ detail, home });
    let end: 'visible' | 'held';
    try {
      end = await commit();
    } catch (error) {
      // What failed may be there all the same: an answer of S3 that was lost.
      if (name !== undefined) await this.lookFor(name, !isCertain(error)).catch(() => {});
      throw error;
    }
    if (end === 'visible') {
      if (name !== undefined) await this.makeDue(name);
      const { command } = this.config;
      if (command) this.queue.add(() => this.audited('command', upload, () => this.run(command, upload)));
    } else if (name !== undefined) await this.outbox!.remove(name);
    return end;
  }

  /** Fulfilled when every command is done, and EventBridge and webhooks were asked once more to take what waits. What they do not take stays on the disk. */
  async close(): Promise<void> {
    for (const timer of this.timers) clearTimeout(timer);
    await this.queue.idle();
    const ends = await Promise.all([...this.senders].map(async ([destination, sender]) => ({ destination, ...(await sender.close()) })));
    for (const { destination, left, why } of ends)
      for (const name of left) {
        const begun = await this.outbox!.read(name).catch(() => undefined);
        if (begun) this.tell(whatOf(destination), begun.detail, 0, `kept in ${this.config.outbox}: ${why}`, destination || undefined);
      }
    this.events?.destroy();
  }

  private async makeDue(name: string): Promise<void> {
    // What can't be renamed is looked for at the next start, like what a crash left.
    const dues = await this.outbox!.due(name, destinationsOf(this.config)).catch(() => (this.senders.has('') ? [name] : []));
    await this.send(dues);
  }

  private async send(names: readonly string[]): Promise<void> {
    for (const name of names) {
      const destination = destinationOf(name);
      const sender = this.senders.get(destination);
      if (sender) sender.add(name);
      else {
        const begun = await this.outbox!.read(name);
        await this.outbox!.remove(name);
        if (begun) this.tell(whatOf(destination), begun.detail, 0, 'given up: the settings name it no more', destination || undefined);
      }
    }
  }

  private every(milliseconds: number, act: () => Promise<void>): void {
    const timer = setInterval(() => void act().catch(() => {}), milliseconds).unref(); // tried again
    this.timers.add(timer);
  }

  private webhookSender(config: ServerConfig['afterRelease']['webhooks'][number]): WebhookSender {
    const { name } = config;
    return new WebhookSender({
      webhook: new Webhook(config),
      giveUpMs: config.giveUpSeconds * 1000,
      open: (one) => this.parcelOf(one, name),
      state: (state, why) => {
        if (state === 'down') this.down.set(name, why ?? '');
        else this.down.delete(name);
        const detail = [...this.down].map(([one, reason]) => `${one}: ${reason}`).join('; ');
        this.parts.audit.record({ kind: 'health', part: 'webhooks', state: this.down.size === 0 ? 'up' : 'down', detail: detail || undefined });
      },
    });
  }

  private async parcelOf(name: string, endpoint: string): Promise<Parcel | undefined> {
    const begun = await this.outbox!.read(name);
    if (!begun) {
      await this.outbox!.remove(name);
      return undefined;
    }
    const since = begunAt(name).getTime();
    return {
      id: begun.detail.id,
      body: JSON.stringify(begun.detail),
      since,
      over: async (reason) => {
        await this.outbox!.remove(name);
        this.tell('webhook', begun.detail, Math.max(0, Date.now() - since) / 1000, reason, endpoint);
      },
    };
  }

  /** Finds out whether an upload became visible of whose end nobody knows. `again`: whether it may become so yet. */
  private async lookFor(name: string, again = true): Promise<void> {
    const begun = await this.outbox!.read(name);
    const state = begun ? await this.stateOf(begun, begunAt(name)) : 'missing';
    if (state === 'there') return this.makeDue(name);
    if (begun && (state === 'unknown' || (again && Date.now() < begunAt(name).getTime() + LOOKED_FOR_MS))) {
      const timer = setTimeout(() => {
        this.timers.delete(timer);
        void this.lookFor(name).catch(() => {}); // it stays, for the next start
      }, LOOK_AGAIN_MS);
      timer.unref();
      this.timers.add(timer);
      return;
    }
    await this.outbox!.remove(name);
  }

  /** In doubt it is there: an event too many does no harm. */
  private async stateOf({ detail: { user, path, bytes }, home }: Begun, begun: Date): Promise<'there' | 'missing' | 'unknown'> {
    try {
      const { size, modified, type } = await (await this.parts.storage.open({ user, home })).stat(path);
      return type === 'file' && size === bytes && modified.getTime() >= begun.getTime() - CLOCKS_MS ? 'there' : 'missing';
    } catch (error) {
      return error instanceof StorageError && ['not-found', 'not-directory', 'is-directory', 'invalid-name'].includes(error.code) ? 'missing' : 'unknown';
    }
  }

  private async letterOf(name: string): Promise<Letter | undefined> {
    const begun = await this.outbox!.read(name);
    if (!begun) return undefined;
    const since = begunAt(name).getTime();
    return {
      entry: releaseEvent(this.config.eventBus!, begun.detail),
      over: async (reason) => {
        await this.outbox!.remove(name);
        this.tell('event', begun.detail, Math.max(0, Date.now() - since) / 1000, reason);
      },
    };
  }

  private async audited(what: 'command', upload: ReleasedUpload, act: () => Promise<void>): Promise<void> {
    const startedAt = performance.now();
    const reason = await act().then(
      () => undefined,
      (error: Error) => error.message,
    );
    this.tell(what, upload, (performance.now() - startedAt) / 1000, reason);
  }

  private tell(
    what: 'command' | 'event' | 'webhook',
    { user, path, session }: Pick<ReleasedUpload, 'user' | 'path' | 'session'>,
    seconds: number,
    reason?: string,
    endpoint?: string,
  ): void {
    const outcome = reason === undefined ? 'success' : 'failure';
    this.parts.audit.record({ kind: 'after-release', what, endpoint, outcome, user, path, session, seconds, reason });
  }

  /** Starts the program by itself: no shell reads a name that a client chose. */
  private run([program, ...args]: readonly string[], upload: ReleasedUpload): Promise<void> {
    return new Promise((resolve, reject) => {
      const child = spawn(program!, args, { stdio: 'ignore', shell: false, cwd: '/', env: environmentOf(upload) });
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        child.kill('SIGKILL');
      }, this.config.commandSeconds * 1000);
      child.on('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      child.on('exit', (code, signal) => {
        clearTimeout(timer);
        if (code === 0) resolve();
        else reject(new Error(late ? `killed after ${this.config.commandSeconds} seconds` : signal ? `ended by ${signal}` : `exit code ${code}`));
      });
    });
  }
}

/** Nothing of the server's own environment, which may hold credentials, but where programs are found. */
function environmentOf({ user, path, file, bytes, sha256, client, session }: ReleasedUpload): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    FTPS_USER: user,
    FTPS_PATH: path,
    FTPS_FILE: file,
    FTPS_BYTES: String(bytes),
    FTPS_SHA256: sha256 ?? '',
    FTPS_CLIENT: client,
    FTPS_SESSION: session,
  };
}

/** Whom events are for. */
export function destinationsOf({ eventBus, webhooks }: ServerConfig['afterRelease']): readonly Destination[] {
  return [...(eventBus === undefined ? [] : ['']), ...webhooks.map(({ name }) => name)];
}

/** Whether nothing of it is under way any more. Clients can bring that about as often as they like: kept for a while, it would leave no room for others. */
function isCertain(error: unknown): boolean {
  return error instanceof StorageError && error.code !== 'unavailable';
}

function whatOf(destination: Destination): 'event' | 'webhook' {
  return destination === '' ? 'event' : 'webhook';
}
