/** The channels of one connection (RFC 4254): sessions that ask for SFTP or SCP, and nothing else. */
import { MalformedPacket, WireReader, WireWriter } from '../wire';
import { Channel, type ChannelLink, type ChannelUser, LARGEST_PIECE, WINDOW } from './channel';
import { PROVE } from './host-key-proofs';
import { messages } from './messages';

/** Channels that are open at once on one connection, as OpenSSH's MaxSessions has it. */
const MOST_CHANNELS = 10;

/** The least that a client must take in one piece: an answer in pieces of a byte would cost a packet for each. Bytes. */
const LEAST_PIECE = 1_024;

/** Why a channel is not opened (RFC 4254 section 5.1). */
const refusals = { prohibited: 1, unknownType: 3, shortage: 4 } as const;

/** What may be asked for on a session's channel. Undefined refuses. */
export interface Programs {
  subsystem(name: string, channel: Channel): ChannelUser | undefined;
  command(line: string, channel: Channel): ChannelUser | undefined;
}

export interface ChannelsLink extends ChannelLink {
  /** Ends the connection: the client broke the protocol. */
  broken(): void;
  /** Something was asked for that is not given here: a shell, a tunnel. */
  refused(what: string): void;
  /** The reply to a client that wants proof of host keys. Absent: none is given. */
  proofs?(request: Buffer): Buffer | undefined;
}

export class Channels {
  private readonly open = new Map<number, Channel>();
  private next = 0;

  constructor(
    private readonly link: ChannelsLink,
    private readonly programs: Programs,
  ) {}

  get count(): number {
    return this.open.size;
  }

  /** Whether the client does not take what is there for it. */
  get isBlocked(): boolean {
    return this.link.isFull || [...this.open.values()].some((channel) => channel.isBlocked);
  }

  /** Takes a packet of the connection protocol. Throws MalformedPacket where it is none. */
  packet(payload: Buffer): void {
    const reader = new WireReader(payload, 1);
    switch (payload[0]) {
      case messages.globalRequest:
        this.globalRequest(reader);
        return;
      case messages.channelOpen:
        this.opening(reader);
        return;
      case messages.channelRequest:
        this.request(reader);
        return;
      case messages.channelData: {
        const channel = this.named(reader.uint32());
        if (channel && !channel.took(reader.string())) this.link.broken();
        return;
      }
      case messages.channelExtendedData: {
        const channel = this.named(reader.uint32());
        reader.uint32();
        // Clients have nothing to say there; it counts against the window all the same.
        const { length } = reader.string();
        if (channel && length > 0) this.link.broken();
        return;
      }
      case messages.channelWindowAdjust: {
        const channel = this.named(reader.uint32());
        if (channel && !channel.widened(reader.uint32())) this.link.broken();
        return;
      }
      case messages.channelEof:
        this.named(reader.uint32())?.theyEnded();
        return;
      case messages.channelClose:
        this.named(reader.uint32())?.theyClosed();
        return;
      case messages.requestSuccess:
      case messages.requestFailure:
      case messages.channelSuccess:
      case messages.channelFailure:
        return; // nothing was asked that wants an answer
      default:
        throw new MalformedPacket();
    }
  }

  /** The connection is gone, or is to go. */
  closeAll(): void {
    for (const channel of [...this.open.values()]) channel.theyClosed();
  }

  private named(number: number): Channel | undefined {
    const channel = this.open.get(number);
    // One that was closed a moment ago may still be spoken to; one that never was there may not.
    if (!channel && number >= this.next) throw new MalformedPacket();
    return channel;
  }

  private globalRequest(reader: WireReader): void {
    const name = reader.text();
    // Forwarding of ports above all; `no-more-sessions@openssh.com` and keep-alives are harmless.
    if (/forward/.test(name)) this.link.refused(name);
    if (!reader.boolean()) return;
    const proofs = name === PROVE ? this.link.proofs?.(reader.rest()) : undefined;
    this.link.send(proofs ?? Buffer.from([messages.requestFailure]));
  }

  private opening(reader: WireReader): void {
    const type = reader.text();
    const [theirs, window, largest] = [reader.uint32(), reader.uint32(), reader.uint32()];
    const refuse = (reason: number, text: string) =>
      this.link.send(new WireWriter().byte(messages.channelOpenFailure).uint32(theirs).uint32(reason).string(text).string('').done());
    if (type !== 'session') {
      this.link.refused(type);
      refuse(type.startsWith('direct-') ? refusals.prohibited : refusals.unknownType, 'Only sessions are opened here.');
      return;
    }
    if (this.open.size >= MOST_CHANNELS) {
      refuse(refusals.shortage, `No more than ${MOST_CHANNELS} channels at once.`);
      return;
    }
    if (largest < LEAST_PIECE) {
      refuse(refusals.shortage, `Pieces of less than ${LEAST_PIECE} bytes are not sent.`);
      return;
    }
    const ours = this.next;
    this.next += 1;
    this.open.set(ours, new Channel(this.link, theirs, window, Math.min(largest, LARGEST_PIECE), () => this.open.delete(ours)));
    this.link.send(new WireWriter().byte(messages.channelOpenConfirmation).uint32(theirs).uint32(ours).uint32(WINDOW).uint32(LARGEST_PIECE).done());
  }

  private request(reader: WireReader): void {
    const channel = this.named(reader.uint32());
    const type = reader.text();
    const wantsReply = reader.boolean();
    if (!channel) return;
    const reply = (succeeded: boolean) => {
      if (wantsReply)
        this.link.send(
          new WireWriter()
            .byte(succeeded ? messages.channelSuccess : messages.channelFailure)
            .uint32(channel.theirs)
            .done(),
        );
    };
    if (channel.user || (type !== 'subsystem' && type !== 'exec')) {
      // Variables of the environment and windows' sizes are sent by habit, and mean nothing here.
      if (type === 'shell' || type === 'x11-req' || type.startsWith('auth-agent')) this.link.refused(type);
      reply(false);
      return;
    }
    const what = reader.text();
    const user = type === 'subsystem' ? this.programs.subsystem(what, channel) : this.programs.command(what, channel);
    if (!user) {
      this.link.refused(`${type} ${what}`);
      reply(false);
      return;
    }
    channel.user = user;
    reply(true);
  }
}
