import type { Socket } from 'node:net';

/**
 * Sees a connection through. What is thrown on the way was foreseen by nobody: it costs that connection, is told as a warning of the process with its
 * stack, and takes nobody else with it.
 */
export function seeThrough(socket: Socket, way: Promise<void>): void {
  way.catch((error: Error) => {
    socket.destroy();
    process.emitWarning(error);
  });
}
