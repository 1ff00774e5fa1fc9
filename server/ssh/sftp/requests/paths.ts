/** REMOVE, MKDIR, RMDIR, REALPATH and RENAME (sections 6.5, 6.6 and 6.11 of the draft). */
import type { WireReader } from '../../wire';
import { filePathOf, pathOf } from '../names';
import type { Sent } from '../replies';
import type { FileRequests } from './files';
import { changed, type RequestParts } from './parts';

export class PathRequests {
  constructor(
    private readonly parts: RequestParts,
    private readonly files: FileRequests,
  ) {}

  remove(id: number, reader: WireReader): Promise<unknown> {
    const path = filePathOf(reader.text());
    return changed(this.parts, id, 'REMOVE', path, () => this.parts.session.files.remove('REMOVE', path));
  }

  makeFolder(id: number, reader: WireReader): Promise<unknown> {
    const path = pathOf(reader.text());
    return changed(this.parts, id, 'MKDIR', path, () => this.parts.session.files.makeFolder('MKDIR', path));
  }

  removeFolder(id: number, reader: WireReader): Promise<unknown> {
    const path = pathOf(reader.text());
    return changed(this.parts, id, 'RMDIR', path, () => this.parts.session.files.removeFolder('RMDIR', path));
  }

  real(id: number, reader: WireReader): Sent {
    return this.parts.replies.name(id, pathOf(reader.text() || '.'));
  }

  /** `replace`: as posix-rename does it. */
  rename(id: number, reader: WireReader, replace: boolean): Promise<unknown> {
    const { names, session } = this.parts;
    const [from, argument] = [pathOf(reader.text()), reader.text()];
    const to = pathOf(argument);
    const command = replace ? 'POSIX-RENAME' : 'RENAME';
    return changed(this.parts, id, command, from, async () => {
      await this.files.endWriting(from);
      await session.files.rename(command, from, to, { replace });
      names.renamed(from, to);
    });
  }
}
