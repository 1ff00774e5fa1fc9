import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer, type ListenOptions, type Server } from 'node:net';

/** The kernel gives out ports from here on by itself, to whoever listens on port 0 or connects (ip(7), ip_local_port_range). */
const GIVEN_OUT = Number(readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s+/, 1)[0]);
const FIRST = 15_000;

/**
 * A port for what has to be told its own beforehand, a daemon for example. Nobody else gets it as long as this process lives: the kernel gives out none of
 * these, and every test that asks here claims its port by a name that one process of the machine has at a time.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(FIRST, GIVEN_OUT);
    const claim = await listening({ path: `\0ftps-test-port-${port}` });
    if (!claim) continue;
    const probe = await listening({ port });
    if (probe) {
      claim.unref();
      probe.close();
      await once(probe, 'close');
      return port;
    }
    claim.close(); // somebody's who does not ask here
  }
}

/** Undefined where it is taken. */
async function listening(options: ListenOptions): Promise<Server | undefined> {
  const server = createServer().listen(options);
  try {
    await once(server, 'listening');
    return server;
  } catch {
    return undefined;
  }
}
