/** A way to a server that is cut: every connection through it ends at once, as when a cable is pulled. */

import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Socket } from 'node:net';

export interface CutProxy {
  readonly port: number;
  /** Bytes that clients have sent through it. */
  readonly bytes: number;
  /** How often it was cut. */
  readonly cuts: number;
  close(): void;
}

/** How long a cut lasts. Milliseconds. */
const CUT_MS = 300;

/** `at`: it is cut when clients have sent so many bytes. */
export async function cutProxy(target: number, at: readonly number[] = []): Promise<CutProxy> {
  const sockets = new Set<Socket>();
  let [bytes, cuts, isCut] = [0, 0, false];
  const cut = () => {
    cuts += 1;
    isCut = true;
    for (const one of sockets) one.resetAndDestroy();
    setTimeout(() => {
      isCut = false;
    }, CUT_MS).unref();
  };
  const server = createServer((client) => {
    if (isCut) return void client.resetAndDestroy();
    const upstream = connect(target, '127.0.0.1');
    for (const [one, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(one);
      one.on('error', () => {});
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
    client.on('data', (chunk) => {
      bytes += chunk.length;
      if (bytes >= (at[cuts] ?? Number.POSITIVE_INFINITY)) cut();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    get bytes() {
      return bytes;
    },
    get cuts() {
      return cuts;
    },
    close() {
      for (const one of sockets) one.destroy();
      server.close();
    },
  };
}
