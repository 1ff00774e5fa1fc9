/**
 * SFTP on one channel. Requests are worked off one after the other, in the order in which they came, and each is answered before the next is looked at:
 * what is read ahead, and what waits to be written, lies below. So a client can ask for as much as its window holds, and no more lies in memory.
 */
import type { Channel, ChannelUser } from '../connection/channel';
import { MalformedPacket, WireReader } from '../wire';
import { extensions } from './extensions';
import { Handles } from './handles';
import { IncomingPackets } from './incoming';
import { Names } from './names';
import { asRefused, Refused, requests, statuses } from './protocol';
import { Replies, type Sent } from './replies';
import { AttributeRequests } from './requests/attributes';
import { ExtendedRequests } from './requests/extended';
import { FileRequests } from './requests/files';
import { FolderRequests } from './requests/folders';
import { PathRequests } from './requests/paths';
import type { SftpSession } from './session';

export class SftpServer implements ChannelUser {
  private readonly incoming = new IncomingPackets();
  private readonly handles: Handles;
  private readonly replies: Replies;
  private readonly files: FileRequests;
  private readonly folders: FolderRequests;
  private readonly attributes: AttributeRequests;
  private readonly paths: PathRequests;
  private readonly extended: ExtendedRequests;
  private begun = false;
  private working = false;
  private theyEnded = false;
  private gone = false;

  constructor(
    private readonly channel: Channel,
    private readonly session: SftpSession,
  ) {
    this.handles = new Handles(session);
    this.replies = new Replies(channel);
    const { handles, replies } = this;
    const parts = { session, handles, replies, names: new Names(session.files, handles) };
    this.files = new FileRequests(parts);
    this.folders = new FolderRequests(parts);
    this.attributes = new AttributeRequests(parts);
    this.paths = new PathRequests(parts, this.files);
    this.extended = new ExtendedRequests(parts, this.paths, this.attributes);
  }

  data(bytes: Buffer): boolean {
    this.incoming.add(bytes);
    void this.work();
    return false;
  }

  ended(): void {
    this.theyEnded = true;
    if (!this.working) void this.finish();
  }

  closed(): void {
    this.gone = true;
    this.handles.abort();
    if (!this.working) void this.finish();
  }

  private async work(): Promise<void> {
    if (this.working) return;
    this.working = true;
    const done = this.session.works();
    try {
      for (;;) {
        const packet = this.gone ? undefined : this.incoming.next();
        if (!packet) break;
        await this.handle(packet);
        this.channel.workedOff(packet.length + 4);
        if (this.session.slice.isUsedUp) await this.session.slice.next();
      }
    } catch (error) {
      if (!(error instanceof MalformedPacket)) process.emitWarning(error as Error);
      this.gone = true;
      this.channel.close(1);
    }
    done();
    this.working = false;
    if (this.gone || this.theyEnded) await this.finish();
  }

  private async finish(): Promise<void> {
    await this.handles.giveUpAll();
    this.channel.close(0);
  }

  private async handle(packet: Buffer): Promise<void> {
    const reader = new WireReader(packet, 1);
    const type = packet[0]!;
    if (!this.begun) {
      if (type !== requests.init) throw new MalformedPacket();
      this.begun = true;
      await this.replies.version(extensions);
      return;
    }
    const id = reader.uint32();
    try {
      await this.request(type, id, reader);
    } catch (error) {
      await this.refuse(id, error);
    }
  }

  /** Answers what was thrown. */
  private refuse(id: number, error: unknown): Sent {
    if (error instanceof MalformedPacket) return this.replies.status(id, statuses.badMessage, 'The request is malformed.');
    const { status, message } = asRefused(error);
    return this.replies.status(id, status, message);
  }

  private request(type: number, id: number, reader: WireReader): unknown {
    switch (type) {
      case requests.read:
        return this.files.read(id, reader);
      case requests.write:
        return this.files.write(id, reader);
      case requests.open:
        return this.files.open(id, reader);
      case requests.close:
        return this.files.close(id, reader, (error) => this.refuse(id, error));
      case requests.stat:
      case requests.lstat:
        return this.attributes.stat(id, reader);
      case requests.fstat:
        return this.attributes.statHandle(id, reader);
      case requests.setstat:
        return this.attributes.set(id, reader);
      case requests.fsetstat:
        return this.attributes.setByHandle(id, reader);
      case requests.opendir:
        return this.folders.open(id, reader);
      case requests.readdir:
        return this.folders.read(id, reader);
      case requests.remove:
        return this.paths.remove(id, reader);
      case requests.mkdir:
        return this.paths.makeFolder(id, reader);
      case requests.rmdir:
        return this.paths.removeFolder(id, reader);
      case requests.realpath:
        return this.paths.real(id, reader);
      case requests.rename:
        return this.paths.rename(id, reader, false);
      case requests.readlink:
      case requests.symlink:
        throw new Refused(statuses.unsupported, 'There are no links here.');
      case requests.extended:
        return this.extended.act(id, reader);
      default:
        throw new Refused(statuses.unsupported, 'That is not known here.');
    }
  }
}
