/**
 * Connections on their way to a worker. Node's cluster sends a worker a copy of a connection, and keeps its own until the worker says that it has it
 * (`handoff` in lib/internal/cluster/round_robin_handle.js of Node.js). Of a worker that dies before it waits for that word for ever, and so does the client.
 */
import type { Worker } from 'node:cluster';

/** What of it is Node's own. */
interface Internal {
  readonly act?: string;
  readonly seq?: number;
  readonly ack?: number;
}

interface Handle {
  close(): void;
}

type Send = (message: Internal, handle?: Handle, ...rest: unknown[]) => boolean;

/**
 * Closes what a worker was sent and has not taken when it ended, so that clients come again at once. It is not given to another worker: bytes of it may
 * have been what ended this one.
 */
export function closeWhatIsNotTaken({ process }: Worker): void {
  const waiting = new Map<number, Handle>();
  const send = process.send!.bind(process) as unknown as Send;
  const watched: Send = (message, handle, ...rest) => {
    if (message.act === 'newconn' && message.seq !== undefined && handle) waiting.set(message.seq, handle);
    return send(message, handle, ...rest);
  };
  process.send = watched as unknown as typeof process.send;
  process.on('internalMessage', ({ ack }: Internal) => {
    if (ack !== undefined) waiting.delete(ack);
  });
  process.once('exit', () => {
    for (const handle of waiting.values()) handle.close();
    waiting.clear();
  });
}
