/**
 * What an upload means, whatever the protocol: room, hash, scan, quarantine, the moment at which it becomes visible, the announcement, and one line in
 * the audit.
 */

import { paceOf } from '../limits/bandwidth';
import type { Asker, Upload } from './account-files';
import type { ScanVerdict } from './antivirus/scanner';
import { wholeFile } from './antivirus/whole-file';
import { takeAll } from './intake';
import type { Outcome } from './outcome';
import type { OwnUploads } from './own-uploads';
import type { FilesParts } from './parts';
import type { Progress } from './progress';
import { RefusedByScanner } from './refused';
import type { ReleasedUpload } from './release/event';
import type { Source } from './source';
import { type PreparableHandle, StorageError, type WriteHandle } from './storage/storage';
import { runTransfer, type TransferResult } from './transfer';

/** What an upload works with. */
export interface IncomingPlace {
  readonly parts: FilesParts;
  readonly asker: Asker;
  readonly uploads: OwnUploads;
  readonly path: string;
  readonly target: WriteHandle;
  readonly progress: Progress;
  /** What others put there is longer by it, and no file of this session's own. */
  readonly isAddition?: boolean;
  /** The bytes were paced when they came. */
  readonly isPaced?: true;
}

/** Bytes on their way in, from the first to the announcement. */
export class Incoming {
  private readonly scan;
  /** Until it is committed or in quarantine. */
  private opened: WriteHandle | undefined;

  constructor(private readonly place: IncomingPlace) {
    const { target, parts, asker } = place;
    this.opened = target;
    this.scan = parts.scanner && wholeFile(parts.scanner.begin(asker.account.user), target.kept());
  }

  /** Throws what ended the upload; to be followed by `abort` then. `beforeItAppears`: when nothing but that is left to do. */
  async take(connect: () => Promise<Source>, beforeItAppears?: () => Promise<void>): Promise<TransferResult> {
    const { scan } = this;
    const { parts, target, path, uploads, progress, isAddition } = this.place;
    const { account, facts: session } = this.place.asker;
    const { config, releases, storage, bandwidth } = parts;
    const source = await connect();
    progress.signal.addEventListener('abort', () => target.stop(), { once: true });
    const received = await takeAll(source, target, progress, {
      hash: config.audit.hashUploads,
      scan,
      pace: this.place.isPaced ? undefined : paceOf(bandwidth, config.limits.bandwidth, account, 'upload'),
    });
    const { verdict } = received;
    const facts = { sha256: received.sha256, client: session.client.address, session: session.session };
    if (verdict?.result === 'error' || verdict?.result === 'too-large') throw new RefusedByScanner(received, verdict.result);
    if (verdict?.result === 'infected') {
      this.opened = undefined;
      const { signature, engine } = verdict;
      // Refused in any case; where it could not be kept, the audit names no quarantine.
      const quarantined = await target.quarantine({ ...facts, signature, engine }).catch(() => undefined);
      throw new RefusedByScanner({ ...received, verdict: { ...verdict, quarantined } }, 'infected');
    }
    await beforeItAppears?.();
    const { user, home } = account;
    const upload = { user, path, file: storage.locate(home, path), bytes: target.size, verdict: verdict && toldOf(verdict), ...facts };
    const commit = () => {
      this.opened = undefined;
      return target.commit(facts, () => this.mayAppear());
    };
    const held = (await releases.release(upload, home, commit)) === 'held';
    if (!isAddition) uploads.add(path);
    return held ? { ...received, held } : received;
  }

  async abort(): Promise<void> {
    this.scan?.abort();
    await this.opened?.abort();
  }

  /** Leaves the file as far as it has come to somebody else; to be called after `take` has failed. */
  leave(): void {
    this.scan?.abort();
    this.opened = undefined;
  }

  /** Nothing becomes visible that can't be told to the audit. */
  private mayAppear(): void {
    if (this.place.parts.isDoomed()) throw new StorageError('unavailable', 'The server is going down; try again.');
  }
}

/** What is told of the verdict on an upload that became visible. */
function toldOf({ result, engine, detail }: ScanVerdict): ReleasedUpload['verdict'] {
  return { result: result === 'clean' ? 'clean' : 'unscanned', engine, detail };
}

/** A file that comes in one stream. `offset`: the first byte of the file that is sent. */
export class StreamedUpload implements Upload {
  private readonly incoming: Incoming;

  constructor(
    private readonly place: IncomingPlace & { readonly command: string; readonly target: PreparableHandle },
    private readonly offset: number,
  ) {
    this.incoming = new Incoming(place);
  }

  get progress(): Progress {
    return this.place.progress;
  }

  receive(connect: () => Promise<Source>, mayAppear?: (prepared: string | undefined) => Promise<void>): Promise<Outcome> {
    const { command, path, parts, asker, progress, target } = this.place;
    const { incoming, offset } = this;
    const act = () => incoming.take(connect, mayAppear && (async () => mayAppear(await target.prepare())));
    return runTransfer({ kind: 'upload', command, path, offset: () => offset, progress, act, undo: () => incoming.abort() }, parts, asker.facts);
  }

  discard(): Promise<void> {
    return this.incoming.abort();
  }
}
