/**
 * What lies in an outbox and is to be sent. A file is a message. A folder is one where it has a list, `send.txt`, that names its payloads: it goes when all that the list names is
 * there, and nothing else, so that no folder goes that is still being filled, by whatever program in whatever order, also on a storage that copies a folder file by file when it is renamed.
 */
import { type AccountFiles, type Entry, StorageError } from '../../files/account-files';
import { COMMAND } from '../folders';
import { MOST_PAYLOADS } from '../message';
import type { Job, JobPayload, Stamp } from './job';

/** The list of a folder: a name a line, in the order of the message. */
export const LIST = 'send.txt';
/** A list is no longer: room for as many names as there may be payloads. Bytes. */
const LONGEST_LIST = 64 * 1024;
/** A folder that waits for so long for what its list names is told of. */
const TOLD_AFTER_MS = 60_000;

/** Whether a name is that of what is sent; what is still being written has other ones. */
export function isSendable(name: string): boolean {
  return name !== '' && !name.includes('/') && !/^\.|\.(part|filepart|tmp)$/i.test(name);
}

/** What is to be sent, and not known yet. */
export type Found = Pick<Job, 'path' | 'size' | 'modified' | 'payloads' | 'list' | 'refusal'>;

interface Waiting {
  readonly why: string;
  readonly since: number;
  readonly isTold: boolean;
}

export interface OutboxPlace {
  readonly folder: string;
  readonly isKnown: (path: string) => boolean;
  /** Folders that are no messages, such as that of what was sent. */
  readonly others: readonly string[];
  /** Told of a folder that does not become whole, once for each reason. */
  readonly onWaiting: (path: string, why: string) => void;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
}

/** Of one partner. */
export class Outbox {
  /** Lists by the path of their folder, so that each is read once. */
  private readonly lists = new Map<string, { readonly stamp: Stamp; readonly names: readonly string[] | string }>();
  private readonly waiting = new Map<string, Waiting>();

  constructor(private readonly place: OutboxPlace) {}

  /** The oldest first. Throws a StorageError where the folder is not there. */
  async look(files: AccountFiles): Promise<Found[]> {
    const { folder, isKnown, others } = this.place;
    const found: Found[] = [];
    const seen = new Set<string>();
    for await (const batch of files.list(folder))
      for (const { name, type } of batch) {
        const path = `${folder}/${name}`;
        seen.add(path);
        if (!isSendable(name) || isKnown(path)) continue;
        if (type === 'file') found.push(...(await singleAt(files, path)));
        else if (!others.some((one) => `${one}/`.startsWith(`${path}/`))) {
          const one = await this.folderAt(files, path);
          if (typeof one === 'string') this.notWhole(path, one);
          else {
            this.waiting.delete(path);
            if (one) found.push(one);
          }
        }
      }
    for (const known of [this.lists, this.waiting]) for (const path of known.keys()) if (!seen.has(path)) known.delete(path);
    return found.sort((one, other) => one.modified - other.modified);
  }

  /** Why it waits, where it has a list and is not what the list says; undefined where it has none. */
  private async folderAt(files: AccountFiles, path: string): Promise<Found | string | undefined> {
    const entries = await entriesOf(files, path);
    const list = entries?.some(({ name, type }) => name === LIST && type === 'file') ? await stampAt(files, `${path}/${LIST}`) : undefined;
    if (!entries || !list) return undefined;
    const names = await this.namesIn(files, path, list);
    const base = { path, modified: list.modified, list };
    if (typeof names === 'string') return { ...base, size: 0, payloads: [], refusal: names };
    const payloads = payloadsIn(entries, names);
    const further = furtherIn(entries, names);
    if (further !== undefined) return `${further} is there and not named in ${LIST}`;
    return typeof payloads === 'string' ? payloads : { ...base, size: payloads.reduce((sum, { size }) => sum + size, 0), payloads };
  }

  /** What the list names; why nothing can be sent by it. */
  private async namesIn(files: AccountFiles, path: string, stamp: Stamp): Promise<readonly string[] | string> {
    const known = this.lists.get(path);
    if (known && isSame(known.stamp, stamp)) return known.names;
    const isLong = stamp.size > LONGEST_LIST;
    const names = isLong ? `${LIST} has more than ${LONGEST_LIST} bytes` : namesOf(await textOf(files, `${path}/${LIST}`, stamp.size));
    this.lists.set(path, { stamp, names });
    return names;
  }

  private notWhole(path: string, why: string): void {
    const now = (this.place.now ?? Date.now)();
    const before = this.waiting.get(path);
    const { since, isTold } = before?.why === why ? before : { since: now, isTold: false };
    const isDue = !isTold && now - since >= TOLD_AFTER_MS;
    if (isDue) this.place.onWaiting(path, why);
    this.waiting.set(path, { why, since, isTold: isTold || isDue });
  }
}

/**
 * What has become of a message since it was found: undefined where it is as it was. `another`: it was taken away, or it is another message by now. Else why it can't be sent as it
 * was, in words.
 */
export async function changeOf(files: AccountFiles, job: Job): Promise<'another' | string | undefined> {
  const { path, list, payloads } = job;
  if (!list || !payloads) return isSame(job, await stampAt(files, path)) ? undefined : 'another';
  if (!isSame(list, await stampAt(files, `${path}/${LIST}`))) return 'another';
  const names = payloads.map(({ name }) => name);
  const there = payloadsIn((await entriesOf(files, path)) ?? [], names);
  if (typeof there === 'string') return there;
  const changed = there.find((one, index) => !isSame(one, payloads[index]));
  return changed && `${changed.name} has changed since the message was made`;
}

export function isSame(one: Stamp, other: Stamp | undefined): boolean {
  return other !== undefined && one.size === other.size && one.modified === other.modified;
}

/** Of a file; undefined where there is none. */
export async function stampAt(files: AccountFiles, path: string): Promise<Stamp | undefined> {
  const entry = await files.find('stat', path).catch(unlessGone);
  return entry?.type === 'file' ? { size: entry.size, modified: entry.modified.getTime() } : undefined;
}

/** Not as the listing has it, which on S3 knows another time of a file that was renamed. */
async function singleAt(files: AccountFiles, path: string): Promise<Found[]> {
  const stamp = await stampAt(files, path);
  return stamp ? [{ path, ...stamp }] : [];
}

async function entriesOf(files: AccountFiles, path: string): Promise<Entry[] | undefined> {
  const entries: Entry[] = [];
  try {
    for await (const batch of files.list(path)) entries.push(...batch);
  } catch (error) {
    return unlessGone(error);
  }
  return entries;
}

/** What is named, in its order; in words what of it is not there. */
function payloadsIn(entries: readonly Entry[], names: readonly string[]): JobPayload[] | string {
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const payloads: JobPayload[] = [];
  for (const name of names) {
    const entry = byName.get(name);
    if (entry?.type !== 'file') return `${LIST} names ${name}, which is not there`;
    payloads.push({ name, size: entry.size, modified: entry.modified.getTime() });
  }
  return payloads;
}

/** What nobody has named: who has put it there means it to go, or is not done. */
function furtherIn(entries: readonly Entry[], names: readonly string[]): string | undefined {
  return entries.map(({ name }) => name).find((name) => name !== LIST && isSendable(name) && !names.includes(name));
}

function namesOf(text: string): readonly string[] | string {
  const names = text
    .replace(/^\ufeff/, '')
    .split(/\r?\n/)
    .filter((line) => line.trim() !== '');
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  const unfit = names.find((name) => name === LIST || !isSendable(name));
  if (names.length === 0) return `${LIST} names no file`;
  if (names.length > MOST_PAYLOADS) return `${LIST} names ${names.length} files; a message has ${MOST_PAYLOADS} at most`;
  if (twice !== undefined) return `${LIST} names ${twice} twice`;
  if (unfit !== undefined) return `${LIST} names ${unfit}, which is no name of a file that is sent`;
  return names;
}

async function textOf(files: AccountFiles, path: string, size: number): Promise<string> {
  const reading = await files.openReading(COMMAND, path);
  const text = Buffer.alloc(Math.min(size, reading.size));
  try {
    for (let at = 0; at < text.length; ) {
      const bytes = await reading.read(at, text.subarray(at));
      if (bytes === 0) break;
      at += bytes;
    }
  } catch (error) {
    await reading.abort();
    throw error;
  }
  await reading.close();
  return text.toString();
}

function unlessGone(error: unknown): undefined {
  if (!(error instanceof StorageError) || (error.code !== 'not-found' && error.code !== 'not-directory')) throw error;
}
