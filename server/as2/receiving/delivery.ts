/** The payloads of one message on their way into the inbox: staged, hashed and scanned as they come, and visible only when the whole message was found good. */
import { createHash } from 'node:crypto';
import { type AccountFiles, type Outcome, StorageError, type Upload } from '../../files/account-files';
import { BrokenOff } from '../../files/progress';
import { Pushed } from '../../files/pushed';
import { COMMAND, freePath, makeFolders, nameFromId } from '../folders';
import { MessageFailure, type Payload } from '../message';
import type { RecordedPayload } from '../records';

/** Each holds a piece of memory and a file until the message is over. */
const MOST_PAYLOADS = 64;

/** Uploads that a message had and that did not come to be. */
export class NotStored extends Error {}

interface Staged {
  readonly recorded: RecordedPayload;
  readonly upload: Upload;
  readonly source: Pushed;
  readonly outcome: Promise<Outcome>;
}

export interface DeliveryPlace {
  readonly files: AccountFiles;
  readonly inbox: string;
  readonly messageId: string;
  /** Payloads that were delivered before a crash, by their index: they are looked at, and not delivered again. */
  readonly already: ReadonlyMap<number, RecordedPayload>;
  /** Nothing is stored: the message was delivered before. */
  readonly onlyCompares: boolean;
}

export class Delivery {
  private readonly staged: Staged[] = [];
  private readonly taken = new Set<string>();
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
      this.all.push({ index, name, path: before?.path ?? '', bytes, sha256: hash.digest('hex') });
      return;
    }
    const path = await this.pathFor(name);
    const upload = await this.place.files.openUpload(COMMAND, path, { kind: 'create' });
    const source = new Pushed();
    const outcome = upload.receive(async () => source);
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
    const recorded = { index, name, path, bytes, sha256: hash.digest('hex') };
    this.all.push(recorded);
    this.staged.push({ recorded, upload, source, outcome });
  }

  /** Makes the payloads visible, one after the other. Answers with those that are, and the first that could not be. */
  async commit(): Promise<{ readonly delivered: readonly RecordedPayload[]; readonly failed?: Outcome }> {
    const delivered = this.all.filter(({ index }) => this.place.already.has(index));
    let failed: Outcome | undefined;
    for (const { recorded, source, outcome } of this.staged.splice(0)) {
      if (failed) source.fail(new BrokenOff('Another payload of the message could not be stored'));
      else source.end();
      const ended = await outcome;
      if (ended.outcome === 'success') delivered.push(recorded);
      else failed ??= ended;
    }
    return { delivered, failed };
  }

  /** The message is not taken: nothing of it stays. */
  async giveUp(reason: unknown): Promise<void> {
    for (const { source, outcome } of this.staged.splice(0)) {
      source.fail(new BrokenOff(reasonOf(reason)));
      await outcome;
    }
  }

  private async pathFor(name: string | undefined): Promise<string> {
    const { files, inbox, messageId } = this.place;
    this.isReady ??= makeFolders(files, inbox);
    await this.isReady;
    let path: string;
    try {
      path = await freePath(files, inbox, name ?? nameFromId(messageId), this.taken);
    } catch (error) {
      if (!(error instanceof StorageError) || error.code !== 'invalid-name') throw error;
      path = await freePath(files, inbox, nameFromId(messageId), this.taken);
    }
    this.taken.add(path);
    return path;
  }
}

/** Without a full stop, as a BrokenOff has it. */
function reasonOf(error: unknown): string {
  if (error instanceof MessageFailure) return `The message was refused: ${error.disposition}`;
  return error instanceof BrokenOff || error instanceof StorageError ? error.message.replace(/\.$/, '') : 'The message was refused';
}
