import { EventEmitter } from 'node:events';
import type { Port } from '../../../server/workers/link';

/** Two ends of a channel that carries what JSON carries. `seen` is told each message. */
export function channel(seen: (message: unknown) => void = () => {}): [Port, Port] {
  const ends = [new EventEmitter(), new EventEmitter()] as const;
  const port = (own: EventEmitter, other: EventEmitter): Port => ({
    on: (event, listener) => own.on(event, listener),
    send(message) {
      seen(message);
      const text = JSON.stringify(message);
      setImmediate(() => other.emit('message', JSON.parse(text)));
      return true;
    },
  });
  return [port(ends[0], ends[1]), port(ends[1], ends[0])];
}
