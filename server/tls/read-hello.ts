/**
 * Reads the ClientHello of a connection that is likely to bring much, and keeps it for the engine that makes the handshake (`HandshakeOptions.hello`).
 *
 * Node's TLS engine takes what comes into buffers that it uses again. The first is as large as it is asked for, all others have 16 KiB; where it is given a hello
 * that was read before, all have, and an upload is read in that many steps. libuv asks for 64 KiB, and asks again in the same turn when a read has filled all of its
 * buffer. So the hello is read to its last byte, by the length that its head names, and no further: an engine that stands there by the end of that turn is the next to be asked.
 */
import type { Socket } from 'node:net';
import { type ClientHello, HelloReader, LONGEST_CLIENT_HELLO } from './client-hello';
import { peekClientHello } from './peek';
import { fill } from './read-into';

/** A hello, and the bytes in which it came; absent where they lie in the socket again. */
export interface HelloRead {
  readonly hello: ClientHello;
  readonly bytes?: Buffer;
}

/** A hello is read in steps of no more than that: nobody has more room made for him than he fills. Bytes. */
const STEP = 2_048;
/** Where a byte goes that comes behind a hello, before the handshake has begun. */
const NOWHERE = Buffer.alloc(1);

/** Fulfilled with the hello, or with why there is none: `timeout` after so many seconds. To be called before the socket has read anything. */
export function readClientHello(socket: Socket, seconds: number): Promise<HelloRead | 'malformed' | 'closed' | 'timeout'> {
  return new Promise((resolve) => {
    const reader = new HelloReader();
    let step = Buffer.allocUnsafe(reader.missing);
    let isOver = false;
    const sink = {
      space: () => (isOver ? NOWHERE : step),
      took(bytes: number) {
        if (isOver) {
          // Nobody says anything behind its hello before it was answered.
          socket.destroy();
          return false;
        }
        const parsed = reader.push(step.subarray(0, bytes));
        if (parsed !== 'incomplete') finish(parsed === 'malformed' ? parsed : { hello: parsed, bytes: reader.all });
        else if (reader.all.length > LONGEST_CLIENT_HELLO) finish('malformed');
        else step = Buffer.allocUnsafe(Math.min(reader.missing, STEP));
        return true;
      },
    };
    const onClose = () => finish('closed');
    if (!fill(socket, sink)) {
      resolve(peekClientHello(socket, seconds).then((hello) => (typeof hello === 'string' ? hello : { hello })));
      return;
    }
    const timer = setTimeout(() => finish('timeout'), seconds * 1000);
    function finish(result: HelloRead | 'malformed' | 'closed' | 'timeout') {
      isOver = true;
      socket.off('end', onClose).off('close', onClose);
      clearTimeout(timer);
      resolve(result);
    }
    socket.on('end', onClose).on('close', onClose);
  });
}
