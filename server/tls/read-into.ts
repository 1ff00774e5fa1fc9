/**
 * What a socket brings, straight into buffers of ours that are used again. Read as a stream it comes in a new buffer for every record of TLS, of 16 KiB:
 * 65,536 of them a GiB, which the kernel clears, Node registers and V8 collects.
 */
import type { Socket } from 'node:net';
import { handleOf } from './handle';

export interface Sink {
  /** Where the next bytes go; one byte at least. Asked for before they come, so that it must stay alive until `took` or the end. */
  space(): Buffer;
  /** So many bytes lie at the beginning of the space last given. False pauses the socket; of TLS up to 80 KiB may still come. */
  took(bytes: number): boolean;
}

/**
 * Reads the socket into the sink from now on. Its end and its errors come as ever; `pause` and `resume` work as ever.
 *
 * Node takes such buffers for sockets that it makes itself (`onread` of net.connect and tls.connect), but not for one that a server accepts, nor
 * for a TLSSocket over a socket that is already there. The same parts, under the same names, are set here afterwards.
 */
export function readInto(socket: Socket, sink: Sink): void {
  const copy = (chunk: Buffer) => {
    let goOn = true;
    for (let at = 0; at < chunk.length; ) {
      const bytes = chunk.copy(sink.space(), 0, at);
      at += bytes;
      goOn = sink.took(bytes);
    }
    if (!goOn) socket.pause();
  };
  socket.resume();
  // What came before anybody asked for it.
  for (let chunk = socket.read() as Buffer | null; chunk; chunk = socket.read() as Buffer | null) copy(chunk);
  if (!fill(socket, sink)) socket.on('data', copy);
}

/** Lets Node fill the sink's buffers from the next read on, of which one must not have begun. False where this Node keeps its `onread` elsewhere. */
export function fill(socket: Socket, sink: Sink): boolean {
  const parts = partsOf(socket);
  const handle = handleOf(socket);
  if (!parts || !handle) return false;
  const first = sink.space();
  Object.assign(socket, { [parts.buffer]: first, [parts.generate]: () => sink.space(), [parts.callback]: (bytes: number) => sink.took(bytes) });
  handle.useUserBuffer(first);
  return true;
}

/** The symbols beneath which net.Socket keeps its `onread`; undefined where this Node has other ones. */
function partsOf(socket: Socket): Record<'buffer' | 'generate' | 'callback', symbol> | undefined {
  const named = (name: string) => Object.getOwnPropertySymbols(socket).find(({ description }) => description === name);
  const [buffer, generate, callback] = ['kBuffer', 'kBufferGen', 'kBufferCb'].map(named);
  return buffer && generate && callback ? { buffer, generate, callback } : undefined;
}
