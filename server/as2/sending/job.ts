/** A message on its way to a partner, written down from before the first attempt until it has left the outbox. Only who holds the lease writes it. */
import type { Notes } from '../../files/files';
import type { Mic } from '../message';
import { keyOf } from '../records';

const FOLDER = 'as2/due';

/** A message as it was sealed; written down in its job when all of it is in the storage. */
export interface Kept {
  /** Of its stretches, and the id of the transfer, which goes out as its Etag. */
  readonly id: string;
  readonly bytes: number;
  /** Those of its content. */
  readonly headers: Readonly<Record<string, string>>;
  readonly mics: readonly Mic[];
  /** SHA-256 of its payloads, in its order. */
  readonly digests: readonly string[];
  /** What it was sealed by: with other keys or settings it is sealed anew. */
  readonly by: string;
  /** The most that the partner has said to have. Bytes. */
  readonly reached: number;
  /** How often the partner did not take a rest: it gets the whole then. */
  readonly refusals: number;
}

/** By what a file is known again. */
export interface Stamp {
  readonly size: number;
  /** Milliseconds since 1970. */
  readonly modified: number;
}

/** One of several payloads. */
export interface JobPayload extends Stamp {
  /** Within the folder. */
  readonly name: string;
  /** Of what was sent. */
  readonly sha256?: string;
}

export interface Job {
  /** AS2 name. */
  readonly partner: string;
  /** The same in every attempt: the partner knows a repeated one by it. */
  readonly messageId: string;
  /** Of the file, as the account names it; of the folder where the message has several. */
  readonly path: string;
  /** As the file was when it was found; of a folder, all of its payloads together. */
  readonly size: number;
  /** The same; of a folder, of its list. Milliseconds since 1970. */
  readonly modified: number;
  /** Of a folder: what its list names, in that order. */
  readonly payloads?: readonly JobPayload[];
  /** Of a folder: its list, by which it is known again whatever becomes of the payloads. */
  readonly list?: Stamp;
  /** Why it can't be sent at all, in words. */
  readonly refusal?: string;
  /** ISO 8601. */
  readonly since: string;
  /** Attempts that are over. */
  readonly attempts: number;
  /** Attempts that have begun, written down before the first byte goes: the partner may have it from one that nobody saw the end of. Absent before the first. */
  readonly begun?: number;
  /** When it goes on. Milliseconds since 1970. */
  readonly nextAt: number;
  /** `due`: to be sent. `awaiting`: the partner has it, and its receipt is to come. `moving`: all is said, and the file is to leave the outbox. */
  readonly state: 'due' | 'awaiting' | 'moving';
  /** Something of it may lie sealed in the storage. */
  readonly isKept?: true;
  /** All of it does. */
  readonly kept?: Kept;
  /** Of what was sent. */
  readonly mics?: readonly Mic[];
  /** SHA-256 of the file, where it is one. */
  readonly sha256?: string;
  /** Why the last attempt failed. */
  readonly detail?: string;
  readonly outcome?: 'delivered' | 'failed';
  /** Where the file goes, written down before it does. */
  readonly target?: string;
}

/** What the message has, in its order, with their paths as the account names them. */
export function payloadsOf({ path, size, modified, sha256, payloads }: Job): readonly (JobPayload & { readonly path: string })[] {
  return payloads?.map((one) => ({ ...one, path: `${path}/${one.name}` })) ?? [{ name: nameOf(path), path, size, modified, sha256 }];
}

/** With the digests of what was sent, in the order of the message. */
export function withDigests(job: Job, sums: readonly string[]): Job {
  return job.payloads ? { ...job, payloads: job.payloads.map((one, index) => ({ ...one, sha256: sums[index] })) } : { ...job, sha256: sums[0] };
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export class Jobs {
  constructor(private readonly notes: Notes) {}

  async all(): Promise<Job[]> {
    const jobs: Job[] = [];
    for (const name of await this.notes.list(FOLDER)) {
      const text = await this.notes.read(`${FOLDER}/${name}`);
      if (text !== undefined) jobs.push(JSON.parse(text) as Job);
    }
    return jobs;
  }

  async has({ partner, messageId }: Pick<Job, 'partner' | 'messageId'>): Promise<boolean> {
    return (await this.notes.read(noteOf(partner, messageId))) !== undefined;
  }

  async write(job: Job): Promise<void> {
    await this.notes.replace(noteOf(job.partner, job.messageId), JSON.stringify(job));
  }

  remove({ partner, messageId }: Job): Promise<void> {
    return this.notes.remove(noteOf(partner, messageId));
  }
}

function noteOf(partner: string, messageId: string): string {
  return `${FOLDER}/${keyOf('sent', partner, messageId)}.json`;
}
