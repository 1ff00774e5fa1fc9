/** OPENDIR and READDIR (section 6.7 of the draft). */
import type { WireReader } from '../../wire';
import type { FolderHandle } from '../handles';
import { pathOf } from '../names';
import { Refused, statuses } from '../protocol';
import type { RequestParts } from './parts';

/** Entries of a folder in one answer. */
const ENTRIES_AT_ONCE = 100;

export class FolderRequests {
  constructor(private readonly parts: RequestParts) {}

  async open(id: number, reader: WireReader): Promise<unknown> {
    const { session, handles, replies } = this.parts;
    const path = pathOf(reader.text());
    const { files } = session;
    const refusal = files.refusal('list');
    if (refusal !== undefined) {
      session.refused('OPENDIR', path, statuses.permissionDenied);
      throw new Refused(statuses.permissionDenied, refusal);
    }
    await files.enter(path);
    const batches = files.list(path)[Symbol.asyncIterator]();
    handles.takePlace();
    const listing = files.openListing('READDIR', path);
    let conclude!: (error?: Error) => void;
    const ended = new Promise<void>((resolve, reject) => {
      conclude = (error) => (error ? reject(error) : resolve());
    });
    const told = listing.send(() => ended);
    const end: FolderHandle['end'] = (error) => {
      conclude(error);
      return told;
    };
    return replies.handle(id, handles.add({ kind: 'folder', path, batches, rest: [], listing, end }));
  }

  async read(id: number, reader: WireReader): Promise<unknown> {
    const { handles, replies } = this.parts;
    const handle = handles.read(reader);
    if (handle.kind !== 'folder') throw new Refused(statuses.failure, 'That is no folder.');
    while (handle.rest.length === 0) {
      const { done, value } = await handle.batches.next();
      if (done) return replies.end(id, 'That is all.');
      handle.rest = value;
    }
    const entries = handle.rest.slice(0, ENTRIES_AT_ONCE);
    handle.rest = handle.rest.slice(ENTRIES_AT_ONCE);
    const { bytes, sent } = replies.names(id, entries);
    handle.listing.progress.bytes += bytes;
    return sent;
  }
}
