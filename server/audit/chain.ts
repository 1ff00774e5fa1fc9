/**
 * Tamper evidence: each line carries the hash of itself and of the line before, so that a line that was removed, changed or
 * moved breaks the chain. A process has a chain of its own, so that several can write to one file.
 */
import { randomUUID } from 'node:crypto';
import { hashOf } from '../text/hash-of';
import { printable } from '../text/printable';

/** What a chain's first line names as the hash before it. */
const NOTHING_BEFORE = '0'.repeat(64);

export class Chain {
  readonly id = randomUUID();
  private previous = NOTHING_BEFORE;

  /** The line for an event: its JSON, with the chain as the last of its `unmapped` attributes, which are its last member and not empty. Also `tail` shows it as it is. */
  link(line: { unmapped?: object }): string {
    const json = JSON.stringify(line);
    const chain = `"chain":{"id":"${this.id}","previous":"${this.previous}"`;
    const open = printable(line.unmapped ? `${json.slice(0, -2)},${chain}` : `${json.slice(0, -1)},"unmapped":{${chain}`);
    const hash = hashOf('sha256', open);
    this.previous = hash;
    return `${open},"hash":"${hash}"}}}`;
  }
}

/** What is wrong with a line or between lines. */
export interface Break {
  /** Number of the line as it was read, beginning with 1. */
  readonly line: number;
  readonly what: 'not-readable' | 'changed' | 'missing-or-moved' | 'beginning-missing';
}

export interface Verification {
  readonly lines: number;
  readonly chains: number;
  /** Chains whose last line doesn't say that the server stopped: it still runs, it crashed, or the last lines are gone. */
  readonly open: number;
  /** Lines that came twice, as deliveries to an archive may. */
  readonly repeated: number;
  /** Files that the server says it deleted to make room; that lines before them are missing is no break. */
  readonly dropped: number;
  readonly breaks: readonly Break[];
}

/** A stretch of a chain: the hash before its first line, and that of its last. */
export interface Stretch {
  readonly id: string;
  readonly previous: string;
  readonly hash: string;
}

/** The stretches that these lines are, by what they say of themselves. */
export async function stretchesOf(lines: AsyncIterable<string>): Promise<Stretch[]> {
  const found = new Map<string, Stretch>();
  for await (const line of lines) {
    const end = ending.exec(line);
    const linked = end && link.exec(line.slice(0, end.index));
    if (!linked) continue;
    const [id, previous] = [linked[1]!, linked[2]!];
    found.set(id, { id, previous: found.get(id)?.previous ?? previous, hash: end[1]! });
  }
  return [...found.values()];
}

interface Link {
  readonly line: number;
  readonly sequence: number;
  readonly previous: string;
  readonly hash: string;
  readonly stopped: boolean;
}

const ending = /,"hash":"([0-9a-f]{64})"\}\}\}$/;
/** The server's last line, and the only one of an operator's command. */
const lastWords = /"status_detail":"stopped"|"event":"quarantine"/;
const link = /"chain":\{"id":"([0-9a-f-]{36})","previous":"([0-9a-f]{64})"$/;

/**
 * Checks lines in the order they stand, or with `anyOrder` in that of their sequence numbers, as an archive of several deliveries has
 * to be read. What can't be seen: lines cut off at the very end of a chain, for which there is no later line to miss them; so the
 * server's last line says that it stopped, and `open` counts chains without one.
 */
export async function verifyChain(lines: AsyncIterable<string> | Iterable<string>, { anyOrder = false } = {}): Promise<Verification> {
  const breaks: Break[] = [];
  const chains = new Map<string, Link[]>();
  const lastOf = new Map<string, Link>();
  /** What is missing before some lines, by the break that it is unless the server says that it deleted it. */
  const gaps = new Map<Break, { readonly id: string; readonly from: string | undefined; readonly to: string }>();
  /** Beginnings of deleted stretches, by chain and end. */
  const deleted = new Map<string, string>();
  let [count, repeated, dropped] = [0, 0, 0];
  const chainOf = (id: string) => chains.get(id) ?? chains.set(id, []).get(id)!;
  const follow = (id: string, next: Link) => {
    const last = lastOf.get(id);
    if (next.previous !== (last?.hash ?? NOTHING_BEFORE)) {
      const missing: Break = { line: next.line, what: last ? 'missing-or-moved' : 'beginning-missing' };
      breaks.push(missing);
      gaps.set(missing, { id, from: last?.hash, to: next.previous });
    }
    lastOf.set(id, next);
  };
  /** Whether what is missing is what the server deleted, file by file, and nothing else. */
  const isDeleted = ({ id, from, to }: { readonly id: string; readonly from: string | undefined; readonly to: string }): boolean => {
    let at: string | undefined = to;
    for (let files = 0; at !== undefined && files <= deleted.size; files += 1) {
      const before: string | undefined = deleted.get(`${id} ${at}`);
      if (from === undefined ? before !== undefined : before === from) return true;
      at = before;
    }
    return false;
  };
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
    const next = { line: count, sequence: anyOrder ? sequenceOf(line) : count, previous, hash, stopped: lastWords.test(line) };
    const whole = hashOf('sha256', open) === hash;
    if (!whole) breaks.push({ line: count, what: 'changed' });
    else if (line.includes(DROPPED)) {
      const stretches = deletedIn(line);
      if (stretches) dropped += 1;
      else breaks.push({ line: count, what: 'changed' }); // no server writes that
      for (const { id, previous, hash } of stretches ?? []) deleted.set(`${id} ${hash}`, previous);
    }
    if (anyOrder) chainOf(id).push(next);
    else if (whole) follow(id, next);
    else lastOf.set(id, next); // for the line that it was, so that the next one is not blamed
  }
  for (const [id, links] of chains) {
    links.sort((a, b) => a.sequence - b.sequence);
    for (const [index, next] of links.entries()) {
      if (links[index - 1]?.hash === next.hash) repeated += 1;
      else follow(id, next);
    }
  }
  return {
    lines: count,
    chains: lastOf.size,
    open: [...lastOf.values()].filter(({ stopped }) => !stopped).length,
    repeated,
    dropped,
    breaks: breaks.filter((one) => !gaps.has(one) || !isDeleted(gaps.get(one)!)),
  };
}

const DROPPED = '"event":"audit-dropped"';

/** What was in a deleted file, in the words of a line that says so; undefined where they are not those of a server. Anybody can make a hash that fits a line. */
function deletedIn(line: string): readonly Stretch[] | undefined {
  try {
    const { chains = [] } = (JSON.parse(line) as { unmapped: { chains?: readonly Stretch[] } }).unmapped;
    return chains.every(({ id, previous, hash }) => [id, previous, hash].every((text) => typeof text === 'string')) ? chains : undefined;
  } catch {
    return undefined;
  }
}

function sequenceOf(line: string): number {
  return Number(/"sequence":(\d+)/.exec(line)?.[1]);
}
