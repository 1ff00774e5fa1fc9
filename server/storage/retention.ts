/** Deletes what accounts were promised to be rid of: files older than their `retentionDays`, looked for at login and every hour. */
import type { Audit } from '../audit/event';
import { type Storage, StorageError, type Volume } from './storage';

const EVERY_MS = 3_600_000;
const DAY_MS = 86_400_000;

interface Watched {
  readonly volume: Volume;
  readonly user: string;
  readonly home: string;
  readonly days: number;
}

/** The same storage, with the files of each home it has opened deleted in time. */
export function withRetention(storage: Storage, audit: Audit): Storage {
  const retention = new Retention(audit);
  return {
    ...storage,
    async open(account) {
      const volume = await storage.open(account);
      const { user, home, retentionDays: days } = account;
      if (days !== undefined) retention.watch({ volume, user, home, days });
      return volume;
    },
    async close() {
      await retention.close();
      await storage.close();
    },
  };
}

class Retention {
  /** By home and days: accounts may share a home. */
  private readonly watched = new Map<string, Watched>();
  private readonly running = new Set<Promise<void>>();
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(private readonly audit: Audit) {}

  watch(one: Watched): void {
    const key = `${one.days} ${one.home}`;
    if (this.watched.has(key)) return;
    this.watched.set(key, one);
    this.start(one);
    this.timer ??= setInterval(() => {
      for (const each of this.watched.values()) this.start(each);
    }, EVERY_MS).unref();
  }

  /** Ends what runs after the file it is at. */
  async close(): Promise<void> {
    this.closed = true;
    clearInterval(this.timer);
    await Promise.all(this.running);
  }

  private start(one: Watched): void {
    const run = this.clean(one, '/', Date.now() - one.days * DAY_MS)
      .catch((error: Error) => this.audit.record({ kind: 'health', part: 'storage', state: 'down', detail: `retention of ${one.home}: ${error.message}` }))
      .finally(() => this.running.delete(run));
    this.running.add(run);
  }

  private async clean(one: Watched, folder: string, before: number): Promise<void> {
    const inFolder = folder === '/' ? '' : folder;
    for await (const batch of one.volume.list(folder)) {
      for (const { name, type, modified } of batch) {
        if (this.closed) return;
        const path = `${inFolder}/${name}`;
        if (type === 'directory') await this.clean(one, path, before).catch(ignoreMissing);
        else if (modified.getTime() < before) await this.remove(one, path, before).catch(ignoreMissing);
      }
    }
  }

  private async remove({ volume, user, home }: Watched, path: string, before: number): Promise<void> {
    // Looked at again: it may have been replaced since it was listed, or been given a time of its own.
    const { type, modified, size } = await volume.stat(path);
    if (type !== 'file' || modified.getTime() >= before) return;
    await volume.remove(path);
    this.audit.record({ kind: 'retention', user, home, path, bytes: size, modified: modified.toISOString() });
  }
}

/** Somebody else was faster. */
function ignoreMissing(error: unknown): void {
  if (!(error instanceof StorageError) || error.code !== 'not-found') throw error;
}
