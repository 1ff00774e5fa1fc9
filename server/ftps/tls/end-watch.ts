/**
 * Tells a TLS connection that was ended by close_notify from one that was merely cut. Node reports both as `end`, and a cut
 * upload would pass for a whole one (truncation attack, RFC 8446 section 6.1).
 */
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { handleOf } from '../../tls/handle';

export interface EndWatch {
  /** Whether what was received ended by close_notify. False while it has not ended. */
  byCloseNotify(): boolean;
  /** After the end by close_notify: whether the client keeps TCP open for that long, and so waits for ours. */
  staysOpen(milliseconds: number): Promise<boolean>;
}

/**
 * Watches the end of what the client sends. Must be called before the socket reads.
 *
 * The end is reported while libuv reads from the transport. Where TLS found it in what was read, libuv goes on reading; where it is the end
 * of TCP, libuv has stopped before it said so. Asking libuv to begin to read tells which it was, without a look at a single byte.
 */
export function watchEnd(socket: TLSSocket, transport: Socket): EndWatch {
  let over = false;
  let closeNotify = false;
  const push = socket.push.bind(socket);
  socket.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
    if (chunk === null && !over) {
      over = true;
      // Where Node has stopped reading itself, no end of TCP can come.
      closeNotify = handleOf(socket)?.reading === false || isReading(transport);
      // Nothing that follows counts, not even a reset: that of a client which closes with something of ours unread would make Node throw
      // away what came before and has not been looked at yet.
      handleOf(transport)?.readStop();
    }
    return push(chunk, encoding);
  };
  return {
    byCloseNotify: () => closeNotify,
    async staysOpen(milliseconds) {
      handleOf(transport)?.readStart();
      await sleep(milliseconds);
      return !socket.destroyed && isReading(transport);
    },
  };
}

/** Whether libuv reads from the socket. Where it does not, it is told to. */
function isReading(transport: Socket): boolean {
  return handleOf(transport)?.readStart() === -constants.errno.EALREADY;
}
