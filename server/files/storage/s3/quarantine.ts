/**
 * Uploads in S3 that no client can read: those that wait for a verdict, and those that have a bad one. Each is an object named by its
 * id, with a record in a folder beside it, which no scanner reads and nobody pays it for. What has no record is an upload under way, or left
 * over from a crash.
 */
import { QUARANTINED_FILES } from '../../../config';
import { checkedId } from '../quarantine-id';
import { type Finding, type Quarantine, type Quarantined, StorageError } from '../storage';
import { type Bucket, eachOf } from './bucket';
import { isConflict, isMissing, storageError } from './errors';
import { UPLOAD_ID } from './upload-id';

/** `waiting`: for the verdict of a scanner that works on its own. `unscanned`: that scanner gave none. */
export type RecordState = Quarantined['state'];

/** A record as it is written; the release Lambda (lib/storage/release) reads and writes the same. */
export interface StoredRecord extends Quarantined {
  /** Key of the object that the file is to become. */
  readonly key: string;
  /** It may not take the place of another file. */
  readonly onlyNew?: boolean;
}

/** Where one upload waits. */
export interface HoldingPlace {
  readonly id: string;
  readonly bucket: Bucket;
  readonly key: string;
  /** Who judges: the server's own scanner while the file comes in, or somebody else when it is here. */
  readonly judge: 'now' | 'later';
  record(state: RecordState, size: number, facts: Partial<Finding> | undefined): Promise<void>;
  /** Takes the record back. */
  forget(): Promise<void>;
}

/** Folder of the records, below the prefix. */
const RECORDS = 'records/';
const READS_AT_ONCE = 16;
/** How often something is tried while others write the same object. */
const TRIES = 10;

export class S3Quarantine implements Quarantine {
  constructor(
    private readonly bucket: Bucket,
    /** Ends with a slash. */
    private readonly prefix: string,
    private readonly files: Bucket,
  ) {}

  place(id: string, judge: HoldingPlace['judge'], facts: Pick<StoredRecord, 'user' | 'home' | 'path' | 'key' | 'onlyNew'>): HoldingPlace {
    return {
      id,
      bucket: this.bucket,
      key: this.keyOf(id),
      judge,
      record: async (state, size, more) => {
        const record: StoredRecord = { id, state, at: new Date().toISOString(), size, client: '', session: '', ...facts, ...more };
        await this.bucket.put(this.recordOf(id), JSON.stringify(record));
      },
      forget: () => this.bucket.remove(this.recordOf(id)),
    };
  }

  async list(): Promise<Quarantined[]> {
    const found: Quarantined[] = [];
    const folder = this.prefix + RECORDS;
    for await (const { objects } of this.bucket.list(folder, { folders: false })) {
      const ids = objects.filter(({ key }) => key.endsWith('.json')).map(({ key }) => key.slice(folder.length, -'.json'.length));
      await eachOf(ids, READS_AT_ONCE, async (id) => {
        found.push(await this.find(id));
      });
    }
    return found.sort((one, other) => (one.id < other.id ? -1 : 1));
  }

  async find(id: string): Promise<Quarantined> {
    const { key: _, onlyNew: __, ...facts } = await this.stored(id);
    return facts;
  }

  async release(id: string): Promise<void> {
    const { key, path } = await this.stored(id);
    const file = await this.bucket.find(this.keyOf(id)).catch(storageError);
    if (!file) throw new StorageError('not-found', 'The file is gone from the quarantine.');
    if (await this.files.find(key).catch(storageError)) throw new StorageError('exists', `The name ${path} is taken.`);
    await this.files.copy({ bucket: this.bucket, key: this.keyOf(id), ...file }, key, file.metadata, { absent: true }).catch(storageError);
    await this.discard(id).catch(storageError);
  }

  async remove(id: string): Promise<void> {
    await this.stored(id); // so that a wrong id is told
    await this.discard(id).catch(storageError);
  }

  /** Deletes what is here of an upload; nothing to do where another was faster, or got only half-way. */
  async discard(id: string): Promise<void> {
    await this.bucket.remove(this.keyOf(id));
    await this.bucket.remove(this.recordOf(id));
  }

  /** Removes what a crash left: parts without an end, and objects without a record, from before then. */
  async *sweep(before: Date): AsyncGenerator<void> {
    const folder = this.prefix + QUARANTINED_FILES;
    for await (const parts of this.bucket.openParts(folder, before)) {
      await this.bucket.abortParts(parts);
      yield;
    }
    for await (const { objects } of this.bucket.list(folder, { folders: false }))
      for (const { key, modified } of objects) {
        const id = this.idOf(key);
        if (modified < before && id !== undefined && !(await this.bucket.find(this.recordOf(id)))) await this.bucket.remove(key);
        yield;
      }
  }

  /** The id that a key of the bucket names; undefined for records and for what is not an upload. */
  idOf(key: string): string | undefined {
    const folder = this.prefix + QUARANTINED_FILES;
    if (!key.startsWith(folder)) return undefined;
    try {
      return checkedId(key.slice(folder.length));
    } catch {
      return undefined;
    }
  }

  /** Notes what a scanner found, unless the upload was released or deleted meanwhile: then there is nothing to note, and no record comes back. */
  async judge(id: string, verdict: Pick<StoredRecord, 'state' | 'signature' | 'engine' | 'detail'>): Promise<'judged' | 'gone'> {
    const key = this.recordOf(id);
    for (let attempt = 1; ; attempt += 1) {
      try {
        const { text, etag } = await this.bucket.text(key);
        await this.bucket.put(key, JSON.stringify({ ...JSON.parse(text), ...verdict }), { condition: { etag } });
        return 'judged';
      } catch (error) {
        if (isMissing(error)) return 'gone';
        if (!isConflict(error) || attempt === TRIES) throw error; // noted by another at the same time: looked at again
      }
    }
  }

  /**
   * Puts an upload where it was meant to go, in place of what is there, unless that is younger: scanners don't keep the order of
   * uploads. May be done again, also at the same time by another. The upload stays here until it is discarded. `gone`: another has
   * settled it meanwhile. `taken`: another has the name, and the account may not overwrite.
   */
  async intoPlace({ id, key, onlyNew }: StoredRecord): Promise<'released' | 'superseded' | 'gone' | 'taken'> {
    const file = await this.bucket.find(this.keyOf(id));
    if (!file) return 'gone';
    for (let attempt = 1; ; attempt += 1) {
      const there = await this.files.find(key);
      const youngest = there?.metadata[UPLOAD_ID] ?? '';
      if (youngest === id) return 'released';
      if (there && onlyNew) return 'taken';
      if (youngest > id) return 'superseded';
      try {
        await this.files.copy({ bucket: this.bucket, key: this.keyOf(id), ...file }, key, file.metadata, there ? { etag: there.etag } : { absent: true });
        return 'released';
      } catch (error) {
        if (isMissing(error) && !(await this.bucket.find(this.keyOf(id)))) return 'gone';
        if (!isConflict(error) || attempt === TRIES) throw error; // another upload came into its place meanwhile: looked at again
      }
    }
  }

  /** The record of an upload; undefined where it is no longer here. */
  async record(id: string): Promise<StoredRecord | undefined> {
    try {
      return JSON.parse((await this.bucket.text(this.recordOf(id))).text) as StoredRecord;
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  /** Where an upload lies in the bucket. */
  keyOf(id: string): string {
    return this.prefix + QUARANTINED_FILES + checkedId(id);
  }

  private recordOf(id: string): string {
    return `${this.prefix}${RECORDS}${checkedId(id)}.json`;
  }

  private async stored(id: string): Promise<StoredRecord> {
    const record = await this.record(id).catch(storageError);
    if (!record) throw new StorageError('not-found', `There is no ${id} in quarantine; list shows what there is.`);
    return record;
  }
}
