/**
 * What is written down of one message that comes, so that its payloads appear once, whatever ends the process at whatever moment, and whoever takes them from the inbox meanwhile.
 *
 * A payload is safe where nobody sees it (prepared) before the record says *delivering* and names it; only then do payloads appear, one after the other. Who finds
 * *delivering* of a process that is gone asks the storage: what waits there has not appeared, and is withdrawn, so that it never will; all else was delivered. Of several who find it,
 * or that go on with a message that failed, one has the turn.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AccountFiles } from '../../files/account-files';
import type { Prepared } from '../../files/files';
import { isThere } from '../folders';
import type { MessageRecord, Owner, RecordedPayload, Records } from '../records';

/** So long another instance may be in the middle of delivering; its record counts as left by a crash then. */
const DELIVERING_MS = 60_000;
/** So long a message waits for the same one on another connection. */
const WAIT_MS = 10_000;
const LOOK_AGAIN_MS = 100;
/** So long the storage can tell what has appeared; then it counts what is there. */
const PREPARED_MS = 12 * 3_600_000;

/** Somebody else is in the middle of delivering the same message. */
export class BeingDelivered extends Error {}

export interface JournalParts {
  readonly records: Records;
  readonly prepared: Prepared;
  readonly owner: Owner;
  /** Messages that this process delivers now: the partner and the Message-ID. */
  readonly delivering: Set<string>;
  /** Done before a record says that a message was delivered. */
  readonly beforeDone: (record: MessageRecord) => Promise<void>;
}

export class Journal {
  private readonly key: string;

  constructor(
    private readonly parts: JournalParts,
    private readonly partner: string,
    private readonly messageId: string,
  ) {
    this.key = `${partner} ${messageId}`;
  }

  /**
   * What is known of the message from before; undefined where it is new. Who is in the middle of delivering it is waited for, for a while; then BeingDelivered is
   * thrown. What a crash left is put right.
   */
  async settled(files: AccountFiles): Promise<MessageRecord | undefined> {
    for (const until = Date.now() + WAIT_MS; ; await sleep(LOOK_AGAIN_MS)) {
      const record = await this.parts.records.read('received', this.partner, this.messageId);
      const isOurs = this.parts.delivering.has(this.key);
      if (record?.state !== 'delivering') {
        if (!isOurs) return record;
      } else if (!isOurs && !this.isUnderWay(record)) {
        const recovered = await this.alone(() => this.recover(record, files));
        if (recovered) return recovered;
      }
      if (Date.now() >= until) throw new BeingDelivered();
    }
  }

  /**
   * Writes down that the payloads are about to appear, and has `deliver` see to it, which concludes what was begun. Undefined where the same message was
   * faster on another connection. `before`: what `settled` said.
   */
  async deliver<Ending>(
    record: MessageRecord,
    before: MessageRecord | undefined,
    deliver: (begun: MessageRecord) => Promise<Ending>,
  ): Promise<Ending | undefined> {
    const begun: MessageRecord = { ...record, state: 'delivering', owner: this.parts.owner, attempt: randomUUID() };
    return this.alone(async () => {
      if (!(await this.begin(begun, before))) return undefined;
      return deliver(begun);
    });
  }

  /** All has appeared. False where somebody has taken this process for dead meanwhile. */
  async done(begun: MessageRecord): Promise<boolean> {
    await this.parts.beforeDone(begun);
    return this.parts.records.conclude({ ...overOf(begun), state: 'done' });
  }

  /** Some has appeared, and the rest can't. The next try goes on from there. */
  partly(begun: MessageRecord, delivered: readonly RecordedPayload[]): Promise<boolean> {
    return this.parts.records.conclude({ ...overOf(begun), state: 'partial', payloads: delivered.map(withoutId) });
  }

  /** Nothing has appeared. */
  failed(begun: MessageRecord, disposition: string, detail: string): Promise<boolean> {
    return this.parts.records.conclude({ ...overOf(begun), state: 'failed', payloads: [], disposition, detail, receipt: undefined });
  }

  /** Notes a message that was refused before anything of it could appear. What is known of one of its ID stays. */
  async refused(record: MessageRecord, disposition: string, detail: string): Promise<void> {
    await this.parts.records.create({ ...record, state: 'failed', payloads: [], disposition, detail, receipt: undefined });
  }

  /** Its delivery was cut, and nobody has sent it again. False where somebody just does. */
  async giveUp(record: MessageRecord, detail: string): Promise<boolean> {
    const given = await this.alone(async () => {
      if (!(await this.takeTurn(record))) return undefined;
      await this.parts.records.giveUp({ ...record, attempt: randomUUID(), detail });
      return true;
    });
    return given === true;
  }

  private async begin(begun: MessageRecord, before: MessageRecord | undefined): Promise<boolean> {
    const { records } = this.parts;
    if (!before) return records.create(begun);
    if (!(await this.takeTurn(before))) return false;
    await records.replace(begun);
    return true;
  }

  /** Undefined where it is somebody else's to do. */
  private async recover(record: MessageRecord, files: AccountFiles): Promise<MessageRecord | undefined> {
    const { records, prepared } = this.parts;
    if (!(await this.takeTurn(record))) return undefined;
    const isOld = Date.now() - Date.parse(record.at) > PREPARED_MS;
    const hasAppeared = async ({ prepared: id, path, appeared }: RecordedPayload) =>
      appeared === true || (id === undefined || isOld ? isThere(files, path) : !(await prepared.isWaiting(id)));
    const delivered: RecordedPayload[] = [];
    const waiting: RecordedPayload[] = [];
    for (const payload of record.payloads) ((await hasAppeared(payload)) ? delivered : waiting).push(payload);
    if (waiting.length > 0 || delivered.length === 0) {
      // Written down before they are withdrawn: else who comes after a crash in between would take them for delivered.
      const partial = async () => {
        const rest: MessageRecord = { ...overOf(record), attempt: randomUUID(), state: 'partial', payloads: inOrder(delivered).map(withoutId) };
        await records.replace(rest);
        return rest;
      };
      const rest = await partial();
      const known = delivered.length;
      for (const payload of waiting) if (payload.prepared !== undefined && !(await prepared.withdraw(payload.prepared))) delivered.push(payload);
      if (delivered.length === known) return rest;
      if (delivered.length < record.payloads.length) return partial();
    }
    await this.parts.beforeDone(record);
    const done: MessageRecord = { ...overOf(record), state: 'done', payloads: inOrder(delivered).map(withoutId) };
    await records.replace(done);
    return done;
  }

  private takeTurn(record: MessageRecord): Promise<boolean> {
    return this.parts.records.takeTurn(record, this.parts.owner, (turn) => this.isUnderWay(turn));
  }

  /** While no other request of this process is at it. Undefined where one is. */
  private async alone<T>(act: () => Promise<T | undefined>): Promise<T | undefined> {
    const { delivering } = this.parts;
    if (delivering.has(this.key)) return undefined;
    delivering.add(this.key);
    try {
      return await act();
    } finally {
      delivering.delete(this.key);
    }
  }

  private isUnderWay({ owner, at }: Pick<MessageRecord, 'owner' | 'at'>): boolean {
    if (!owner || Date.now() - Date.parse(at) > DELIVERING_MS) return false;
    const own = this.parts.owner;
    if (owner.host !== own.host) return true;
    // Of this very process it is one that has ended: the others are asked for before.
    return owner.pid !== own.pid && isAlive(owner);
  }
}

function overOf({ owner: _, ...record }: MessageRecord): MessageRecord {
  return { ...record, payloads: record.payloads.map(withoutId) };
}

function withoutId({ prepared: _, appeared: __, ...payload }: RecordedPayload): RecordedPayload {
  return payload;
}

function inOrder(payloads: readonly RecordedPayload[]): RecordedPayload[] {
  return [...payloads].sort((one, other) => one.index - other.index);
}

function isAlive({ pid }: Owner): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

export const ownOwner = (): Owner => ({ host: hostname(), pid: process.pid });
