/**
 * What was exchanged with partners, one record a message, kept where every process and instance finds it: that a message is delivered once, that a repeated
 * one gets the same receipt, and that nobody can deny later what was sent and taken.
 */
import { createHash, randomUUID } from 'node:crypto';
import type { Notes } from '../files/files';
import type { Mic } from './message';

const FOLDER = 'as2/messages';
/** What was over on which day. */
const DAYS = 'as2/days';
/** Whose turn it is to go on with what another has left. */
const TURNS = 'as2/turns';
/** What is neither done nor failed, each with when that began. */
const OPEN = 'as2/open';

export type Direction = 'received' | 'sent';

/** Who is in the middle of delivering. */
export interface Owner {
  readonly host: string;
  readonly pid: number;
}

/** Somebody who goes on with a message. */
export interface Turn {
  readonly owner: Owner;
  /** ISO 8601. */
  readonly at: string;
  readonly attempt: string;
}

export interface RecordedPayload {
  readonly index: number;
  /** As the sender named it. */
  readonly name?: string;
  /** Where it lies, as the account names it. */
  readonly path: string;
  readonly bytes: number;
  readonly sha256: string;
  /** While it is about to appear: by what the storage knows whether it has. */
  readonly prepared?: string;
  /** It has appeared in an attempt before. */
  readonly appeared?: true;
}

export interface RecordedReceipt {
  readonly messageId: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Base64. */
  readonly body: string;
  /** Where it goes by a request of its own; absent where it is in the answer. */
  readonly deliverTo?: string;
}

export interface MessageRecord {
  readonly direction: Direction;
  /** AS2 name of the partner. */
  readonly partner: string;
  /** AS2 name of ours. */
  readonly own: string;
  readonly account: string;
  /** With its angle brackets. */
  readonly messageId: string;
  /** ISO 8601. */
  readonly at: string;
  /** `delivering`: the payloads are about to appear. `partial`: only those that are named here did. */
  readonly state: 'delivering' | 'partial' | 'done' | 'failed';
  readonly owner?: Owner;
  /** One of a kind for each time that delivering begins, or is taken over. Absent in records of old releases. */
  readonly attempt?: string;
  /** From the outside in: `encrypted aes-256-cbc`, `signed sha256`, `compressed`. */
  readonly layers: readonly string[];
  /** SHA-256 of the certificate of the signature. */
  readonly signer?: string;
  readonly payloads: readonly RecordedPayload[];
  readonly mic?: Mic;
  /** As the receipt has it. */
  readonly disposition: string;
  /** Why, in our words. */
  readonly detail?: string;
  readonly receipt?: RecordedReceipt;
  /** The session in the audit. */
  readonly session: string;
  readonly address: string;
}

export class Records {
  constructor(
    private readonly notes: Notes,
    private readonly keepDays: number,
  ) {}

  async read(direction: Direction, partner: string, messageId: string): Promise<MessageRecord | undefined> {
    const text = await this.notes.read(nameOf(direction, partner, messageId));
    return text === undefined ? undefined : (JSON.parse(text) as MessageRecord);
  }

  /** False where there is one already. */
  async create(record: MessageRecord): Promise<boolean> {
    await this.note(record);
    return this.notes.create(nameOf(record.direction, record.partner, record.messageId), JSON.stringify(record));
  }

  /** What is over is noted by its day, so that it goes when its time has come; what is not, among what is open, so that its time comes. */
  async replace(record: MessageRecord): Promise<void> {
    const { direction, partner, messageId, state } = record;
    await this.note(record);
    await this.notes.replace(nameOf(direction, partner, messageId), JSON.stringify(record));
    if (direction === 'received' && isOver(state)) await this.notes.remove(openOf(keyOf(direction, partner, messageId)));
  }

  private async note(record: MessageRecord): Promise<void> {
    if (isOver(record.state)) await this.noteDay(record);
    else await this.notes.replace(openOf(keyOf(record.direction, record.partner, record.messageId)), new Date().toISOString());
  }

  private async noteDay({ direction, partner, messageId, at }: MessageRecord): Promise<void> {
    await this.notes.create(`${DAYS}/${at.slice(0, 10)}/${keyOf(direction, partner, messageId)}`, '');
  }

  /** What is neither done nor failed, and was written down as that before then. */
  async openSince(before: number): Promise<MessageRecord[]> {
    const open: MessageRecord[] = [];
    for (const key of await this.notes.list(OPEN)) {
      const since = await this.notes.read(openOf(key));
      if (since === undefined || Date.parse(since) > before) continue;
      const text = await this.notes.read(noteOf(key));
      const record = text === undefined ? undefined : (JSON.parse(text) as MessageRecord);
      if (record && !isOver(record.state)) open.push(record);
      else await this.notes.remove(openOf(key)); // a crash came between
    }
    return open;
  }

  /** Nobody goes on with it any more: it stays as it is, for as long as what is over. */
  async giveUp(record: MessageRecord): Promise<void> {
    const { direction, partner, messageId } = record;
    await this.noteDay(record);
    await this.notes.replace(nameOf(direction, partner, messageId), JSON.stringify(record));
    await this.notes.remove(openOf(keyOf(direction, partner, messageId)));
  }

  /**
   * Of several who want to go on from a record that another has left, one may: false where it is somebody else's turn, or the record is not as it was any more. Who has
   * taken a turn and is gone as well is followed by the next.
   */
  async takeTurn({ direction, partner, messageId, attempt = '0', state }: MessageRecord, owner: Owner, isAlive: (turn: Turn) => boolean): Promise<boolean> {
    for (let after = attempt; ; ) {
      const name = `${turnsOf(direction, partner, messageId)}/${after}.json`;
      const turn: Turn = { owner, at: new Date().toISOString(), attempt: randomUUID() };
      if (await this.notes.create(name, JSON.stringify(turn))) break;
      const text = await this.notes.read(name);
      const other = text === undefined ? undefined : (JSON.parse(text) as Turn);
      if (!other || isAlive(other)) return false;
      after = other.attempt;
    }
    const now = await this.read(direction, partner, messageId);
    return now?.state === state && (now.attempt ?? '0') === attempt;
  }

  /** Writes what became of an attempt, where it is still the last one. False where somebody has taken it for dead, and went on. */
  async conclude(record: MessageRecord): Promise<boolean> {
    const { direction, partner, messageId, attempt } = record;
    const now = await this.read(direction, partner, messageId);
    if (now?.state !== 'delivering' || now.attempt !== attempt) return false;
    await this.replace(record);
    await this.notes.clear(turnsOf(direction, partner, messageId));
    return true;
  }

  /** Keeps the message itself beside its record: headers, an empty line, and the body, as they were on the wire. */
  async keepMessage({ direction, partner, messageId }: Pick<MessageRecord, 'direction' | 'partner' | 'messageId'>, bytes: Buffer): Promise<void> {
    await this.notes.replace(messageName(direction, partner, messageId), bytes.toString('base64'));
  }

  async readMessage({ direction, partner, messageId }: Pick<MessageRecord, 'direction' | 'partner' | 'messageId'>): Promise<Buffer | undefined> {
    const text = await this.notes.read(messageName(direction, partner, messageId));
    return text === undefined ? undefined : Buffer.from(text, 'base64');
  }

  /** Removes what is older than it has to be kept. */
  async sweep(now = Date.now()): Promise<void> {
    const before = new Date(now - this.keepDays * 86_400_000).toISOString().slice(0, 10);
    for (const name of await this.notes.list(DAYS)) {
      const [day = '', key = ''] = name.split('/');
      if (day >= before) continue;
      const record = noteOf(key);
      await this.notes.remove(record);
      await this.notes.remove(record.replace(/json$/, 'message'));
      await this.notes.clear(`${TURNS}/${key}`);
      await this.notes.remove(`${DAYS}/${name}`);
    }
  }
}

/** Names of partners and messages may have characters that names of notes may not. `kept`: a transfer of a partner's, by its id. */
export function keyOf(direction: Direction | 'kept', partner: string, messageId: string): string {
  return createHash('sha256')
    .update(JSON.stringify([direction, partner, messageId]))
    .digest('hex')
    .slice(0, 40);
}

function nameOf(...message: Parameters<typeof keyOf>): string {
  return noteOf(keyOf(...message));
}

function openOf(key: string): string {
  return `${OPEN}/${key}`;
}

function isOver(state: MessageRecord['state']): boolean {
  return state === 'done' || state === 'failed';
}

function turnsOf(...message: Parameters<typeof keyOf>): string {
  return `${TURNS}/${keyOf(...message)}`;
}

function noteOf(key: string): string {
  return `${FOLDER}/${key.slice(0, 2)}/${key}.json`;
}

function messageName(...message: Parameters<typeof keyOf>): string {
  return nameOf(...message).replace(/json$/, 'message');
}
