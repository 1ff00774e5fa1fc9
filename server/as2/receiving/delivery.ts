/** The payloads of one message on their way into the inbox: staged, hashed and scanned as they come, and visible only when the whole message was found good. */
import { createHash } from 'node:crypto';
import { type AccountFiles, type Outcome, StorageError } from '../../files/account-files';
import type { Prepared } from '../../files/files';
import { BrokenOff } from '../../files/progress';
import { Promised } from '../../files/promised';
import { Pushed } from '../../files/pushed';
import { COMMAND, freePath, makeFolders, nameFromId } from '../folders';
import { MessageFailure, MOST_PAYLOADS, type Payload } from '../message';
import type { RecordedPayload } from '../records';
import type { Naming } from './naming';

/** Uploads that a message had and that did not come to be. */
export class NotStored extends Error {}

interface Staged {
  /** Which of all payloads it is. */
  readonly place: number;
  readonly source: Pushed;
  /** Kept when it is safe where nobody sees it, by what the storage knows it then. */
  readonly prepared: Promised<string | undefined>;
  /** Kept when it may appear; broken where it may not. */
  readonly mayAppear: Promised<void>;
  readonly outcome: Promise<Outcome>;
}

export interface DeliveryPlace {
  readonly files: AccountFiles;
  readonly prepared: Prepared;
  readonly inbox: string;
  readonly messageId: string;
  readonly naming: Naming;
  readonly user: string;
  /** AS2 name. */
  readonly partner: string;
  /** Payloads that were delivered before a crash, by their index: they are looked at, and not delivered again. */
  readonly already: ReadonlyMap<number, RecordedPayload>;
  /** Nothing is stored: the message was delivered before. */
  readonly onlyCompares: boolean;
}

export class Delivery {
  private readonly staged: Staged[] = [];
  private readonly named: string[] = [];
  private readonly all: RecordedPayload[] = [];
  private isReady: Promise<void> | undefined;

  constructor(private readonly place: DeliveryPlace) {}

  /** What came, in the order of the message. */
  get payloads(): readonly RecordedPayload[] {
    return this.all;
  }

  async take(payload: Payload): Promise<void> {
    const { index, name } = payload;
    const { already, onlyCompares } = this.place;
    if (index >= MOST_PAYLOADS) throw new MessageFailure('unexpected-processing-error', `the message has more than ${MOST_PAYLOADS} payloads`);
    const before = already.get(index);
    const hash = createHash('sha256');
    let bytes = 0;
    if (onlyCompares || before) {
      for await (const piece of payload.body) {
        hash.update(piece);
        bytes += piece.length;
      }
      this.all.push({ index, name, path: before?.path ?? '', bytes, sha256: hash.digest('hex'), appeared: before && true });
      return;
    }
    const path = await this.pathFor(name);
    const upload = await this.place.files.openUpload(COMMAND, path, { kind: 'create' });
    const source = new Pushed();
    const [prepared, mayAppear] = [new Promised<string | undefined>(), new Promised<void>()];
    const outcome = upload.receive(
      async () => source,
      (id) => {
        prepared.keep(id);
        return mayAppear.promise;
      },
    );
    try {
      await Promise.race([source.flows, outcome]);
      for await (const piece of payload.body) {
        if (source.isOver) throw new NotStored((await outcome).reason ?? 'The upload was given up.', { cause: (await outcome).error });
        hash.update(piece);
        bytes += piece.length;
        await source.push(piece);
      }
    } catch (error) {
      source.fail(new BrokenOff(reasonOf(error)));
      await outcome;
      throw error;
    }
    this.staged.push({ place: this.all.length, source, prepared, mayAppear, outcome });
    this.all.push({ index, name, path, bytes, sha256: hash.digest('hex') });
  }

  /**
   * The message is good, and all of it has come: makes its payloads safe where nobody sees them. Answers with the first that can't be stored; nothing of the message has
   * appeared then, and nothing will.
   */
  async prepare(): Promise<Outcome | undefined> {
    for (const { source } of this.staged) source.end();
    for (const { place, prepared, outcome } of this.staged) {
      const failed = await Promise.race([outcome, prepared.promise.then(() => undefined)]);
      if (failed) {
        await this.giveUp(new BrokenOff('Another payload of the message could not be stored'));
        return failed;
      }
      this.all[place] = { ...this.all[place]!, prepared: await prepared.promise };
    }
    return undefined;
  }

  /** Makes the payloads appear, one after the other. Answers with those that have, and the first that could not. */
  async commit(): Promise<{ readonly delivered: readonly RecordedPayload[]; readonly failed?: Outcome }> {
    const delivered = this.all.filter(({ index }) => this.place.already.has(index));
    let failed: Outcome | undefined;
    for (const { place, mayAppear, outcome } of this.staged.splice(0)) {
      if (failed) mayAppear.break(new BrokenOff('Another payload of the message could not be stored'));
      else mayAppear.keep();
      const ended = await outcome;
      if (ended.outcome === 'success') delivered.push(this.all[place]!);
      else failed ??= ended;
    }
    this.letNamesGo();
    return { delivered, failed };
  }

  /** The message is not taken, and no record says that it may have been: nothing of it stays. */
  async giveUp(reason: unknown): Promise<void> {
    await this.breakOff(reason);
    await this.withdraw();
  }

  /** Sees to it that what has not appeared never will; to be called when that is written down. */
  async withdraw(): Promise<void> {
    for (const { prepared } of this.all) if (prepared !== undefined) await this.place.prepared.withdraw(prepared).catch(() => false); // the sweep finds it
  }

  /** Nothing more of the message appears. What is safe already stays where nobody sees it, for who looks later at what the record says. */
  async breakOff(reason: unknown): Promise<void> {
    const error = new BrokenOff(reasonOf(reason));
    for (const { source, mayAppear, outcome } of this.staged.splice(0)) {
      source.fail(error);
      mayAppear.break(error);
      await outcome;
    }
    this.letNamesGo();
  }

  private letNamesGo(): void {
    for (const key of this.named.splice(0)) this.place.naming.letGo(key);
  }

  private async pathFor(name: string | undefined): Promise<string> {
    const { files, inbox, messageId, naming, user, partner } = this.place;
    this.isReady ??= makeFolders(files, inbox);
    await this.isReady;
    const take = (path: string) => {
      const key = `${user} ${path}`;
      if (this.named.includes(key) || !naming.take(key, `${partner} ${messageId}`)) return false;
      this.named.push(key);
      return true;
    };
    try {
      return await freePath(files, inbox, name ?? nameFromId(messageId), take);
    } catch (error) {
      if (!(error instanceof StorageError) || error.code !== 'invalid-name') throw error;
      return freePath(files, inbox, nameFromId(messageId), take);
    }
  }
}

/** Without a full stop, as a BrokenOff has it. */
function reasonOf(error: unknown): string {
  if (error instanceof MessageFailure) return `The message was refused: ${error.disposition}`;
  return error instanceof BrokenOff || error instanceof StorageError ? error.message.replace(/\.$/, '') : 'The message was refused';
}
