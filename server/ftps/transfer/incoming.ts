/** The bytes of an upload over an encrypted data connection, with what tells its end from a cut. */
import { TransferError } from '../../files/progress';
import type { Sink, Source } from '../../files/source';
import { readInto } from '../../tls/read-into';
import type { DataChannel } from '../data/channel';
import { LINGER_MS } from './outgoing';

export interface IncomingManners {
  /** So long the client may send nothing. */
  readonly stallSeconds: number;
  /** Whether an upload without close_notify counts as cut. */
  readonly requireCloseNotify: boolean;
}

export class IncomingData implements Source {
  constructor(
    private readonly channel: DataChannel,
    private readonly manners: IncomingManners,
  ) {}

  flowInto(sink: Sink): void {
    const { socket, sayGoodbye, endedByCloseNotify } = this.channel;
    const { stallSeconds, requireCloseNotify } = this.manners;
    let ended = false;
    const onEnd = () => {
      ended = true;
      // Some clients (Python's ftplib) wait for our close_notify before they look for the reply.
      sayGoodbye();
      const isCut = requireCloseNotify && !endedByCloseNotify();
      sink.end(isCut ? new TransferError('cut', 'The upload was cut: its TLS connection ended without close_notify') : undefined);
    };
    socket.on('end', onEnd);
    // Once everything has arrived, a client may close as it likes, also with what we sent last unread.
    socket.on('error', (error) =>
      sink.fail(new TransferError('disconnected', `The data connection broke (${(error as NodeJS.ErrnoException).code ?? 'TLS error'})`)),
    );
    // After the end a close is as it should be: an error is not made, to be thrown away, for every file.
    const cut = () => {
      if (!ended) sink.fail(new TransferError('cut', 'The data connection ended before the upload did'));
    };
    socket.on('close', cut);
    socket.setTimeout(stallSeconds * 1000);
    socket.on('timeout', () => {
      // While bytes are being stored or scanned, or a bandwidth limit holds them back, it is not the client who keeps us waiting.
      if (sink.isBusy) socket.setTimeout(stallSeconds * 1000);
      else sink.fail(new TransferError('stalled', `The client sent no data for ${stallSeconds} seconds`));
    });
    readInto(socket, sink);
    // An empty file may have come to its end before anybody listened.
    if (socket.readableEnded) onEnd();
    else if (socket.destroyed) cut();
  }

  resume(): void {
    this.channel.socket.resume();
  }

  letGo(failed: boolean): Promise<void> {
    const { socket } = this.channel;
    if (socket.closed) return Promise.resolve();
    const gone = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    if (failed) socket.destroy();
    else socket.setTimeout(LINGER_MS, () => socket.destroy());
    return gone;
  }
}
