/** STAT, LSTAT, FSTAT, SETSTAT and FSETSTAT (sections 6.8 and 6.9 of the draft). */
import type { WireReader } from '../../wire';
import { entryOf, type Handle } from '../handles';
import { pathOf } from '../names';
import { type Attributes, Refused, readAttributes, statuses } from '../protocol';
import { asCommitted } from './files';
import { changed, type RequestParts } from './parts';

export class AttributeRequests {
  constructor(private readonly parts: RequestParts) {}

  async stat(id: number, reader: WireReader): Promise<unknown> {
    return this.parts.replies.attributes(id, await this.parts.names.entryAt(reader.text()));
  }

  async statHandle(id: number, reader: WireReader): Promise<unknown> {
    const { handles, names, replies } = this.parts;
    const handle = handles.read(reader);
    if (handle.kind === 'write') return replies.attributes(id, entryOf(handle));
    const entry = await names.entryAt(handle.path);
    if (handle.kind === 'folder') return replies.attributes(id, entry);
    const { type, modified } = entry;
    return replies.attributes(id, { type, modified, size: handle.file.size });
  }

  set(id: number, reader: WireReader): Promise<unknown> {
    const path = pathOf(reader.text());
    return changed(this.parts, id, 'SETSTAT', path, () => this.setAttributes(path, readAttributes(reader)));
  }

  setByHandle(id: number, reader: WireReader): Promise<unknown> {
    const handle = this.parts.handles.read(reader);
    return changed(this.parts, id, 'FSETSTAT', handle.path, () => this.setHandleAttributes(handle, readAttributes(reader)));
  }

  private async setAttributes(path: string, { size, modified }: Attributes): Promise<void> {
    const { names, session } = this.parts;
    const { files, ignoresAttributes } = session;
    const refusal = files.refusal('set-time');
    if (refusal !== undefined) throw new Refused(statuses.permissionDenied, refusal);
    if (size !== undefined) await this.setSize(path, size);
    if (modified !== undefined && !names.isHeld(path)) await files.setModified('SETSTAT', path, new Date(modified * 1000));
    else if (size === undefined && modified === undefined && !ignoresAttributes)
      throw new Refused(statuses.unsupported, 'Permissions and owners are not kept here.');
  }

  private async setSize(path: string, size: number): Promise<void> {
    const { handles, session } = this.parts;
    const open = handles.writtenAt(path);
    if (open) return open.writing.truncate(size);
    const { files } = session;
    if ((await files.find('stat', path, 'file')).size === size) return;
    const writing = await files.openWriting(path, { command: 'SETSTAT', existing: 'keep', create: false });
    const over = session.begins('SETSTAT', path, writing.progress);
    try {
      await writing.truncate(size).catch(() => {}); // told by its end
      asCommitted(await writing.commit());
    } finally {
      over();
    }
  }

  private async setHandleAttributes(handle: Handle, attributes: Attributes): Promise<void> {
    const { size, modified } = attributes;
    if (handle.kind !== 'write') {
      if (size !== undefined) throw new Refused(statuses.permissionDenied, 'It was not opened to be written.');
      return this.setAttributes(handle.path, attributes);
    }
    if (handle.ended) return this.setAttributes(handle.path, attributes);
    if (size !== undefined) await handle.writing.truncate(size);
    if (modified !== undefined) {
      handle.modified = new Date(modified * 1000);
      handle.writing.keepTime(handle.modified);
    }
  }
}
