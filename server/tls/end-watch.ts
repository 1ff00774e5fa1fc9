/**
 * Tells a TLS connection that was ended by close_notify from one that was merely cut. Node reports both as `end`, and a cut
 * upload would pass for a whole one (truncation attack, RFC 8446 section 6.1).
 */
import type { Socket } from 'node:net';
import { constants } from 'node:os';
import type { TLSSocket } from 'node:tls';

/** The handle of libuv beneath a connection. Node does not publish it. */
interface Handle {
  /** Whether Node wants to read, which it notes on the handle itself. */
  reading?: boolean;
  /** 0 or a negative error number; EALREADY where it reads already. */
  readStart(): number;
  readStop(): number;
}

/**
 * Watches the end of what the client sends, and answers with whether it was close_notify. Must be called before the socket reads.
 *
 * The end is reported while libuv reads from the transport. Where TLS found it in what was read, libuv goes on reading; where it is the end
 * of TCP, libuv has stopped before it said so. Asking libuv to begin to read tells which it was, without a look at a single byte.
 */
export function watchEnd(socket: TLSSocket, transport: Socket): () => boolean {
  let over = false;
  let closeNotify = false;
  const push = socket.push.bind(socket);
  socket.push = (chunk: Buffer | null, encoding?: BufferEncoding) => {
    if (chunk === null && !over) {
      over = true;
      const handle = handleOf(transport);
      // Where Node has stopped reading itself, no end of TCP can come.
      closeNotify = handle !== null && (!handleOf(socket)?.reading || handle.readStart() === -constants.errno.EALREADY);
      // Nothing that follows counts, not even a reset: that of a client which closes with something of ours unread would make Node throw
      // away what came before and has not been looked at yet.
      handle?.readStop();
    }
    return push(chunk, encoding);
  };
  return () => closeNotify;
}

function handleOf(socket: Socket): Handle | null {
  return (socket as unknown as { _handle: Handle | null })._handle;
}
