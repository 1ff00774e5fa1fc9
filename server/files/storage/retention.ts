/**
 * Deletes what accounts were promised to be rid of: files older than their `retentionDays`. An account is written down in the storage
 * when it logs in; from then on its home is gone through at every start and every hour, whoever logs in or not, by the days that its
 * source says then.
 */
import type { Audit } from '../../audit/event';
import type { Identity } from '../../identity/identity';
import { type HomeRules, type RetainedAccount, type Storage, StorageError, type Volume } from './storage';

const EVERY_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** How often a note is written anew although nothing changed: rules of a bucket may delete what is old. */
const NOTE_MS = DAY_MS;

export interface RetentionParts {
  readonly storage: Storage;
  readonly identity: Pick<Identity, 'rulesOf'>;
  readonly audit: Audit;
  /** Whether this process goes through the homes. Of several workers one does; all of them write down who logs in. */
  readonly cleans: boolean;
}

export class Retention {
  /** When the notes of accounts were written, with what they say. */
  private readonly written = new Map<string, { readonly note: string; readonly until: number }>();
  private readonly running = new Set<Promise<void>>();
  private timer: NodeJS.Timeout | undefined;
  private readonly closing = new AbortController();

  constructor(private readonly parts: RetentionParts) {}

  /** Goes through all homes now, and every hour. */
  start(): void {
    if (!this.parts.cleans) return;
    this.run('all homes', () => this.cleanAll());
    this.timer = setInterval(() => this.run('all homes', () => this.cleanAll()), EVERY_MS).unref();
  }

  /** The same storage, with the accounts written down that open their home. */
  watching(): Storage {
    const { storage } = this.parts;
    return {
      ...storage,
      open: async (account) => {
        const volume = await storage.open(account);
        this.run(account.home, () => this.seen(account, volume));
        return volume;
      },
    };
  }

  /** Fulfilled when nothing is being gone through. */
  async settled(): Promise<void> {
    await Promise.all(this.running);
  }

  /** Ends what runs after the file it is at. */
  async close(): Promise<void> {
    this.closing.abort(new StorageError('unavailable', 'The server is going down.'));
    clearInterval(this.timer);
    await this.settled();
  }

  private get closed(): boolean {
    return this.closing.signal.aborted;
  }

  private run(what: string, act: () => Promise<void>): void {
    if (this.closed) return;
    const run = act()
      .catch((error: Error) => {
        if (!this.closed) this.parts.audit.record({ kind: 'health', part: 'storage', state: 'down', detail: `retention of ${what}: ${error.message}` });
      })
      .finally(() => this.running.delete(run));
    this.running.add(run);
  }

  private async seen({ user, home, quota, retentionDays }: HomeRules, volume: Volume): Promise<void> {
    if (retentionDays === undefined) return; // a note from before is put right by the next round
    const account = { user, home, quota, retentionDays };
    const note = JSON.stringify(account);
    const before = this.written.get(user);
    if (before?.note === note && before.until > Date.now()) return;
    await this.parts.storage.retained.keep(account);
    this.written.set(user, { note, until: Date.now() + NOTE_MS });
    if (before?.note !== note) await this.clean(account, volume);
  }

  private async cleanAll(): Promise<void> {
    for await (const noted of this.parts.storage.retained.all()) {
      if (this.closed) return;
      try {
        const account = await this.now(noted);
        if (account) await this.clean(account, await this.parts.storage.open(account));
      } catch (error) {
        if (this.closed) return;
        // The next home may be all right.
        const detail = `retention of ${noted.home}: ${(error as Error).message}`;
        this.parts.audit.record({ kind: 'health', part: 'storage', state: 'down', detail });
      }
    }
  }

  /**
   * The account as its source has it now: nothing is deleted by days that were since raised, or taken away. One that the source no
   * longer knows, or can't be asked about, is rid of its files as it was promised at its last login.
   */
  private async now(noted: RetainedAccount): Promise<RetainedAccount | undefined> {
    const { user } = noted;
    const account = await this.parts.identity.rulesOf(user);
    if (account === 'none' || account === 'unknown') return noted;
    const { home, quota, retentionDays } = account;
    if (retentionDays === undefined) {
      this.written.delete(user);
      await this.parts.storage.retained.forget(user);
      return undefined;
    }
    return { user, home, quota, retentionDays };
  }

  private async clean(account: RetainedAccount, volume: Volume): Promise<void> {
    const before = Date.now() - account.retentionDays * DAY_MS;
    for await (const batch of volume.files(this.closing.signal)) {
      for (const { path, modified } of batch) {
        if (this.closed) return;
        if (modified.getTime() < before) await this.remove(account, volume, path, before).catch(ignoreMissing);
      }
    }
  }

  private async remove({ user, home }: RetainedAccount, volume: Volume, path: string, before: number): Promise<void> {
    // Looked at again: it may have been replaced since it was listed, or been given a time of its own.
    const { type, modified, size } = await volume.stat(path);
    if (type !== 'file' || modified.getTime() >= before) return;
    await volume.remove(path);
    this.parts.audit.record({ kind: 'retention', user, home, path, bytes: size, modified: modified.toISOString() });
  }
}

/** Somebody else was faster. */
function ignoreMissing(error: unknown): void {
  if (!(error instanceof StorageError) || error.code !== 'not-found') throw error;
}
