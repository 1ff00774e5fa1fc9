/** Attacks of a stranger, each by a process of its own (attacker.cjs), and what another session feels of them. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** What attacker.cjs knows. */
export const attacks = [
  'hello-bomb',
  'hello-by-byte',
  'refused-commands',
  'line-ends',
  'noops',
  'nuls',
  'one-long-line',
  'connects',
  'garbage-for-a-hello',
  'handshakes',
  'renegotiation',
  'odd-alpn-and-sni',
  'replies-unread',
  'half-open',
] as const;

/** What the headers of a connection take at least, that carries nothing: SYN, ACK and FIN of IPv4 with the options of Linux. Bytes. */
export const BYTES_OF_CONNECTION = 60 + 52 + 52;

export interface Cost {
  readonly connections: number;
  /** Payload, and the least that connections take by themselves. */
  readonly bytes: number;
}

/** Attacks an explicit port on loopback for so long. */
export async function attack(name: (typeof attacks)[number], port: number, seconds: number): Promise<Cost> {
  const { stdout } = await promisify(execFile)(process.execPath, [join(__dirname, 'attacker.cjs'), name, String(port), String(seconds)], {
    timeout: (seconds + 30) * 1000,
  });
  const { bytes, connections } = JSON.parse(stdout) as Cost;
  return { connections, bytes: bytes + connections * BYTES_OF_CONNECTION };
}

/** Does something in turns, a hundred times a second at most, until the other is over. How long each took, the shortest first. Milliseconds. */
export async function timesUntil(over: Promise<unknown>, once: () => Promise<unknown>): Promise<number[]> {
  let done = false;
  const end = over.finally(() => {
    done = true;
  });
  const times: number[] = [];
  while (!done) {
    const begin = performance.now();
    await once();
    times.push(performance.now() - begin);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await end;
  return times.sort((one, other) => one - other);
}

export const p99 = (sorted: readonly number[]): number => sorted[Math.floor(sorted.length * 0.99)] ?? Number.POSITIVE_INFINITY;
