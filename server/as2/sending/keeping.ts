/**
 * Messages that are sealed into the storage before they leave, so that one whose connection ended goes on where it was (draft-harding-as2-restart-07): sealing again would make other
 * bytes, for keys and vectors are random.
 */
import { createHash, randomBytes } from 'node:crypto';
import type { As2Config, As2Partner } from '../../config';
import type { Stretches } from '../../files/files';
import type { Sealed } from '../message';
import { keyOf } from '../records';
import { Stretched } from '../restart/stretched';
import type { Job, Kept } from './job';

const FOLDER = 'as2/sealed';
const HOUR_MS = 3_600_000;

export class KeptMessages {
  constructor(
    private readonly stretches: Stretches,
    private readonly settings: As2Config['restart'],
  ) {}

  /** Whether a message is to be kept; `others`: jobs beside it. */
  async isFor({ restart }: As2Partner, job: Job, others: Iterable<Job>): Promise<boolean> {
    if (!restart.send || job.size < this.settings.fromBytes) return false;
    if (job.kept) return true;
    let bytes = job.size;
    for (const other of others) if (other.isKept && other.messageId !== job.messageId) bytes += other.size;
    if (bytes > this.settings.keptBytes) return false;
    const room = await this.stretches.room();
    return room === undefined || room >= 2 * job.size;
  }

  /** Writes all of a message into the storage. */
  async keep(job: Job, sealed: Sealed, by: string, digests: () => readonly string[], signal: AbortSignal): Promise<Kept> {
    await this.remove(job); // what an attempt before has left
    const id = randomBytes(16).toString('hex');
    const writer = this.bodyOf(job, { id }).writer(0);
    let bytes = 0;
    for await (const piece of sealed.body) {
      signal.throwIfAborted();
      await writer.add(piece);
      bytes += piece.length;
    }
    await writer.end();
    const { 'Content-Length': _, ...headers } = sealed.headers;
    return { id, bytes, headers, mics: await sealed.mics, digests: digests(), by, reached: 0, refusals: 0 };
  }

  bodyOf({ partner, messageId }: Job, { id }: Pick<Kept, 'id'>): Stretched {
    return new Stretched(this.stretches, `${FOLDER}/${keyOf('sent', partner, messageId)}`, id);
  }

  /** Whether all of it is still in the storage. */
  async isThere(job: Job, kept: Kept): Promise<boolean> {
    return (await this.bodyOf(job, kept).size()) === kept.bytes;
  }

  async remove({ partner, messageId }: Job): Promise<void> {
    await this.stretches.clear(`${FOLDER}/${keyOf('sent', partner, messageId)}`);
  }

  /** Removes what no job has any more, as what a process wrote that was taken for dead. */
  async sweep(jobs: Iterable<Job>, now = Date.now()): Promise<void> {
    const known = new Set([...jobs].map(({ partner, messageId }) => keyOf('sent', partner, messageId)));
    const old = new Set<string>();
    for (const { name, modified } of await this.stretches.list(FOLDER)) {
      const [key = ''] = name.split('/');
      if (!known.has(key) && now - modified.getTime() > HOUR_MS) old.add(key);
    }
    for (const key of old) await this.stretches.clear(`${FOLDER}/${key}`);
  }
}

/** What a message is sealed by, in short. */
export function sealedBy(...what: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(what)).digest('hex').slice(0, 32);
}
