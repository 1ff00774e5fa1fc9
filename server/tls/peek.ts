/** Reads the ClientHello of a connection and puts it back, so that the handshake can be made by whoever it turns out to be for. */
import type { Socket } from 'node:net';
import { type ClientHello, HelloReader, LONGEST_CLIENT_HELLO } from './client-hello';

/** Fulfilled with the hello, or with why there is none: `timeout` after so many seconds. The socket is left paused with every byte in it. */
export function peekClientHello(socket: Socket, seconds: number): Promise<ClientHello | 'malformed' | 'closed' | 'timeout'> {
  return new Promise((resolve) => {
    const reader = new HelloReader();
    const onReadable = () => {
      const chunk = socket.read() as Buffer | null;
      if (chunk === null) return;
      const parsed = reader.push(chunk);
      if (parsed === 'incomplete' && reader.all.length <= LONGEST_CLIENT_HELLO) return;
      finish(parsed === 'incomplete' ? 'malformed' : parsed);
    };
    const onClose = () => finish('closed');
    const timer = setTimeout(() => finish('timeout'), seconds * 1000);
    function finish(result: ClientHello | 'malformed' | 'closed' | 'timeout') {
      socket.off('readable', onReadable).off('end', onClose).off('close', onClose);
      clearTimeout(timer);
      if (reader.all.length > 0 && !socket.destroyed) socket.unshift(reader.all);
      resolve(result);
    }
    socket.on('readable', onReadable).on('end', onClose).on('close', onClose);
  });
}
