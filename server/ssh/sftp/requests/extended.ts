/** Requests of extensions (section 8 of the draft; OpenSSH's PROTOCOL, section 4). */
import type { WireReader } from '../../wire';
import { type ExtensionName, isExtension, LARGEST_READ, LARGEST_WRITE } from '../extensions';
import { MOST_HANDLES, readingOf, writingOf } from '../handles';
import { LONGEST_PACKET } from '../incoming';
import { pathOf } from '../names';
import { Refused, statuses } from '../protocol';
import type { AttributeRequests } from './attributes';
import { changed, type RequestParts } from './parts';
import type { PathRequests } from './paths';

type Act = (id: number, reader: WireReader) => unknown;

export class ExtendedRequests {
  private readonly acts: Readonly<Record<ExtensionName, Act>>;

  constructor(
    private readonly parts: RequestParts,
    paths: PathRequests,
    attributes: AttributeRequests,
  ) {
    const { handles, names, replies } = parts;
    this.acts = {
      'posix-rename@openssh.com': (id, reader) => paths.rename(id, reader, true),
      'statvfs@openssh.com': async (id, reader) => {
        await names.entryAt(reader.text());
        return this.space(id);
      },
      'fstatvfs@openssh.com': (id, reader) => {
        handles.read(reader);
        return this.space(id);
      },
      'fsync@openssh.com': (id, reader) => {
        if (handles.read(reader).kind !== 'write') throw new Refused(statuses.failure, 'It was not opened to be written.');
        // Nothing of it is there before it is closed, and then all of it is safe: so it is always in step.
        return replies.ok(id, 'Safe once it is closed.');
      },
      'lsetstat@openssh.com': (id, reader) => attributes.set(id, reader), // there are no links
      'limits@openssh.com': (id) => replies.extended(id, [LONGEST_PACKET, LARGEST_READ, LARGEST_WRITE, MOST_HANDLES]),
      'copy-data': (id, reader) => this.copyData(id, reader),
      'expand-path@openssh.com': (id, reader) => replies.name(id, pathOf(reader.text().replace(/^~[^/]*\/?/, '/') || '/')),
    };
  }

  act(id: number, reader: WireReader): unknown {
    const name = reader.text();
    if (!isExtension(name)) throw new Refused(statuses.unsupported, 'That is not known here.');
    return this.acts[name](id, reader);
  }

  /** draft-ietf-secsh-filexfer-extensions-00, section 7. */
  private copyData(id: number, reader: WireReader): Promise<unknown> {
    const { handles, session } = this.parts;
    const source = handles.read(reader);
    const [from, length] = [reader.uint64(), reader.uint64()];
    const target = handles.read(reader);
    const to = reader.uint64();
    return changed(this.parts, id, 'COPY-DATA', target.path, async () => {
      if (source.path === target.path) throw new Refused(statuses.failure, 'A file can not be copied onto itself.');
      const [reading, writing] = [readingOf(source), writingOf(target)];
      const places = [
        { path: source.path, file: reading, offset: from },
        { path: target.path, file: writing, offset: to },
      ] as const;
      const copied = await session.files.copyData('COPY-DATA', ...places, length === 0 ? undefined : length);
      if (copied < length) throw new Refused(statuses.eof, 'The file ended before.');
    });
  }

  /** What is left for new files, as a file system would say it (PROTOCOL of OpenSSH, section 4.4). */
  private async space(id: number): Promise<unknown> {
    const block = 4_096;
    const free = Math.floor(((await this.parts.session.files.available()) ?? 2 ** 50) / block);
    return this.parts.replies.extended(id, [block, block, 2 ** 50 / block, free, free, 2 ** 32, 2 ** 32, 2 ** 32, 0, 0, 255]);
  }
}
