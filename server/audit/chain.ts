/**
 * Tamper evidence: each line carries the hash of itself and of the line before, so that a line that was removed, changed or
 * moved breaks the chain. A process has a chain of its own, so that several can write to one file.
 */
import { createHash, randomUUID } from 'node:crypto';

/** What a chain's first line names as the hash before it. */
const NOTHING_BEFORE = '0'.repeat(64);

export class Chain {
  readonly id = randomUUID();
  private previous = NOTHING_BEFORE;

  /** The line for an event: its JSON, with the chain as the last of its `unmapped` attributes. */
  link(line: { unmapped?: object }): string {
    const { unmapped, ...rest } = line;
    const open = JSON.stringify({ ...rest, unmapped: { ...unmapped, chain: { id: this.id, previous: this.previous } } }).slice(0, -3);
    const hash = sha256(open);
    this.previous = hash;
    return `${open},"hash":"${hash}"}}}`;
  }
}

/** What is wrong with a line or between lines. Numbers of lines begin with 1. */
export interface Break {
  readonly line: number;
  readonly what: 'not-readable' | 'changed' | 'missing-or-moved' | 'beginning-missing';
}

export interface Verification {
  readonly lines: number;
  readonly chains: number;
  readonly breaks: readonly Break[];
}

const ending = /,"hash":"([0-9a-f]{64})"\}\}\}$/;
const link = /"chain":\{"id":"([0-9a-f-]{36})","previous":"([0-9a-f]{64})"$/;

/**
 * Checks lines in the order they stand. What can't be seen: lines cut off at the very end of a chain, for which there is no
 * later line to miss them; so the server's last line says that it stopped.
 */
export async function verifyChain(lines: AsyncIterable<string> | Iterable<string>): Promise<Verification> {
  const lastOf = new Map<string, string>();
  const breaks: Break[] = [];
  let count = 0;
  for await (const line of lines) {
    if (line === '') continue;
    count += 1;
    const end = ending.exec(line);
    const open = end ? line.slice(0, end.index) : '';
    const linked = link.exec(open);
    if (!end || !linked) {
      breaks.push({ line: count, what: 'not-readable' });
      continue;
    }
    const [id, previous, hash] = [linked[1]!, linked[2]!, end[1]!];
    const last = lastOf.get(id);
    if (sha256(open) !== hash) breaks.push({ line: count, what: 'changed' });
    else if (last === undefined && previous !== NOTHING_BEFORE) breaks.push({ line: count, what: 'beginning-missing' });
    else if (last !== undefined && previous !== last) breaks.push({ line: count, what: 'missing-or-moved' });
    lastOf.set(id, hash);
  }
  return { lines: count, chains: lastOf.size, breaks };
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}
