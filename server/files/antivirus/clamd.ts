/**
 * ClamAV's daemon, fed by its INSTREAM command while a file streams in (clamd(8)): the file as pieces with their length before
 * each, a length of zero at the end, then one line with the verdict. clamd closes after each stream, so every scan has a
 * connection of its own; how many there are at once is limited here.
 */
import { connect, type Socket } from 'node:net';
import type { ServerConfig } from '../../config';
import { FairTurns } from '../fair-turns';
import type { Scan, Scanner, ScanVerdict } from './scanner';

type ClamdConfig = Extract<ServerConfig['antivirus'], { kind: 'clamd' }>;

/** Told when clamd is first reached, and whenever that changes. */
export type ScannerReport = (state: 'up' | 'down', detail?: string) => void;

/** How long a version of engine and signatures is believed. Milliseconds. */
const VERSION_MS = 60_000;
/** An account has half of the connections at most: an upload keeps its own as long as it lasts, and who sends slowly, or stops, keeps nobody else from being scanned. */
const SHARE_OF_ONE_ACCOUNT = 1 / 2;
/** Longer than any answer of clamd. Bytes. */
const LONGEST_REPLY = 4_096;

export class ClamdScanner implements Scanner {
  private readonly turns: FairTurns;
  private readonly scans = new Set<Scan>();
  private state: 'up' | 'down' | undefined;
  private version: { readonly text: Promise<string | undefined>; readonly until: number } | undefined;

  constructor(
    private readonly config: ClamdConfig,
    private readonly report: ScannerReport,
  ) {
    this.turns = new FairTurns(config.connections, Math.ceil(config.connections * SHARE_OF_ONE_ACCOUNT));
  }

  begin(owner: string): Scan {
    const turn = (signal: AbortSignal) => this.turns.take(owner, signal);
    const scan = new ClamdScan(this.config, turn, (verdict) => {
      this.scans.delete(scan);
      return this.judge(verdict);
    });
    this.scans.add(scan);
    return scan;
  }

  async close(): Promise<void> {
    for (const scan of this.scans) scan.abort();
  }

  private async judge(outcome: Outcome): Promise<ScanVerdict> {
    if ('aborted' in outcome) return { result: 'error' };
    if ('putOff' in outcome) return { result: 'error', detail: outcome.putOff };
    if ('failure' in outcome) {
      this.became('down', outcome.failure);
      return { result: this.config.whenUnavailable === 'refuse' ? 'error' : 'unscanned', detail: outcome.failure };
    }
    if ('tooLarge' in outcome) return { result: this.config.whenLarger === 'refuse' ? 'too-large' : 'unscanned', detail: outcome.tooLarge };
    this.became('up');
    return { ...outcome, engine: await this.engine() };
  }

  private became(state: 'up' | 'down', detail?: string): void {
    if (this.state === state) return;
    this.state = state;
    this.version = undefined; // it may come back as another
    this.report(state, detail);
  }

  /** For example `ClamAV 1.4.3/27789/Tue Oct 14 09:42:10 2025`: engine, number and date of the signatures. */
  private engine(): Promise<string | undefined> {
    if (!this.version || this.version.until < Date.now()) {
      const text = ask(this.config, 'VERSION').catch(() => undefined);
      this.version = { text, until: Date.now() + VERSION_MS };
    }
    return this.version.text;
  }
}

type Outcome =
  | { readonly result: 'clean' }
  | { readonly result: 'infected'; readonly signature: string }
  | { readonly tooLarge: string }
  | { readonly failure: string }
  /** Not scanned, for a reason that whoever uploads can bring about: never let through for it, whatever is to happen while clamd is down. */
  | { readonly putOff: string }
  | { readonly aborted: true };

class ClamdScan implements Scan {
  private socket: Socket | undefined;
  private reply: Promise<string> | undefined;
  private giveBack: (() => void) | undefined;
  /** While it waits for clamd; else clamd waits for the client. */
  private isAtWork = false;
  private bytes = 0;
  /** How it ended, where that is known before the last byte. */
  private early: Outcome | undefined;
  private readonly givenUp = new AbortController();

  constructor(
    private readonly config: ClamdConfig,
    private readonly turn: (signal: AbortSignal) => Promise<() => void>,
    private readonly over: (outcome: Outcome) => Promise<ScanVerdict>,
  ) {}

  async write(chunks: readonly Buffer[]): Promise<void> {
    if (this.early) return;
    for (const { length } of chunks) this.bytes += length;
    if (this.bytes > this.config.maxBytes) return this.endEarly({ tooLarge: `larger than the ${this.config.maxBytes} bytes that are scanned` });
    await this.takeTurn();
    await this.guarded(async () => {
      if (this.early) return;
      const socket = this.connected();
      const pieces = chunks.filter(({ length }) => length > 0);
      if (pieces.length === 0) return;
      socket.cork();
      const written = pieces.map((chunk) => {
        socket.write(lengthOf(chunk));
        return new Promise<void>((resolve, reject) => socket.write(chunk, (error) => (error ? reject(error) : resolve())));
      });
      socket.uncork();
      await Promise.all(written);
    });
  }

  async finish(): Promise<ScanVerdict> {
    await this.takeTurn();
    await this.guarded(async () => {
      if (this.early) return;
      const socket = this.connected();
      socket.write(Buffer.alloc(4));
      this.early = outcomeOf(await this.reply!);
    });
    const outcome = this.early!;
    this.endEarly(outcome);
    return this.over(outcome);
  }

  abort(): void {
    this.endEarly({ aborted: true });
    void this.over({ aborted: true });
  }

  /** The first time that it is called; it has the turn until it is over. */
  private async takeTurn(): Promise<void> {
    if (this.giveBack || this.early) return;
    const { timeoutSeconds } = this.config;
    const late = setTimeout(() => this.endEarly({ putOff: `it had no turn within ${timeoutSeconds} seconds` }), timeoutSeconds * 1000);
    try {
      this.giveBack = await this.turn(this.givenUp.signal);
      if (this.early) this.endEarly(this.early); // it ended while its turn came
    } catch {
      // It is over, and why is known.
    } finally {
      clearTimeout(late);
    }
  }

  /** Connects, the first time that it is called. */
  private connected(): Socket {
    if (this.socket) return this.socket;
    const socket = dial(this.config);
    this.socket = socket;
    this.reply = replyOn(socket);
    // Looked at as well when the last byte is sent, or when sending fails.
    this.reply.then(
      (text) => this.unasked(outcomeOf(text)),
      (error: Error) => this.unasked({ failure: error.message }),
    );
    socket.write('zINSTREAM\0');
    return socket;
  }

  /** clamd says something, or hangs up, before it has all. That it waited too long for the client's next bytes is no failure of its own. */
  private unasked(outcome: Outcome): void {
    if (this.isAtWork) return;
    this.endEarly('tooLarge' in outcome ? outcome : { putOff: 'clamd ended the scan while it waited for the client' });
  }

  /** Does one step with clamd. Whatever goes wrong, or takes too long, is how the scan ended. */
  private async guarded(step: () => Promise<void>): Promise<void> {
    const { timeoutSeconds } = this.config;
    const timer = setTimeout(() => this.endEarly({ failure: `no answer within ${timeoutSeconds} seconds` }), timeoutSeconds * 1000);
    this.isAtWork = true;
    try {
      await step();
    } catch (error) {
      // clamd says why before it hangs up, as where a stream is too long for it.
      const said = await this.reply?.catch(() => undefined);
      this.endEarly(said ? outcomeOf(said) : { failure: (error as Error).message });
    } finally {
      this.isAtWork = false;
      clearTimeout(timer);
    }
  }

  /** The first reason counts. */
  private endEarly(outcome: Outcome): void {
    this.early ??= outcome;
    this.givenUp.abort(new Error('the scan is over'));
    this.socket?.destroy();
    this.giveBack?.();
    this.giveBack = undefined;
  }
}

function outcomeOf(reply: string): Outcome {
  if (reply === 'stream: OK') return { result: 'clean' };
  const [, signature] = /^stream: (.+) FOUND$/.exec(reply) ?? [];
  if (signature) return { result: 'infected', signature };
  if (/size limit exceeded/i.test(reply)) return { tooLarge: 'larger than the StreamMaxLength of clamd; set antivirus.maxBytes to it' };
  return { failure: `clamd answered ${JSON.stringify(reply.slice(0, 200))}` };
}

function lengthOf(chunk: Buffer): Buffer {
  const length = Buffer.allocUnsafe(4);
  length.writeUInt32BE(chunk.length);
  return length;
}

function dial({ socket, host, port }: ClamdConfig): Socket {
  return socket ? connect(socket) : connect({ host: host!, port, noDelay: true });
}

/** One answer, up to its NUL. */
function replyOn(socket: Socket): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    socket.setEncoding('utf8');
    socket.on('data', (piece: string) => {
      text += piece;
      const end = text.indexOf('\0');
      if (end >= 0) resolve(text.slice(0, end));
      else if (text.length > LONGEST_REPLY) socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error('clamd hung up')));
  });
}

/** Asks clamd something short. */
async function ask(config: ClamdConfig, command: string): Promise<string> {
  const socket = dial(config);
  socket.setTimeout(config.timeoutSeconds * 1000, () => socket.destroy());
  socket.write(`z${command}\0`);
  try {
    return await replyOn(socket);
  } finally {
    socket.destroy();
  }
}

/** Fulfilled when clamd has read its signatures and takes files. Throws an Error with the reason where it doesn't. */
export async function scannerAnswers(config: ClamdConfig, milliseconds: number): Promise<void> {
  const answer = await ask({ ...config, timeoutSeconds: milliseconds / 1000 }, 'PING');
  if (answer !== 'PONG') throw new Error(`clamd answered ${JSON.stringify(answer.slice(0, 200))}`);
}
