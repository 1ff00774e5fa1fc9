/** Whether a directory is behind a port yet: before it is, what forwards the port drops connections. */
import { connect } from 'node:net';

/** Whether something behind the door holds a connection instead of dropping it. */
export function holds(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const timer = setTimeout(() => {
      socket.destroy();
      resolve(true);
    }, 150);
    socket
      .on('error', () => {})
      .on('close', () => {
        clearTimeout(timer);
        resolve(false);
      });
  });
}
