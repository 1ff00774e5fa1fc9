/**
 * The privileged part: a process that owns one nftables table and opens single passive ports to single addresses, for a time,
 * because the server asks for it over a Unix socket. It trusts the server with nothing else: three words, checked letter by
 * letter, about the ports of the configured range alone.
 */
import { rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { Nft } from './nft';
import { admitElement, checkTable, createTable, MOST_ADMITTED, withdrawElement } from './table';
import { LONGEST_LINE, type Opening, readWords, type Words } from './words';

export interface GateOptions {
  /** Path of the Unix socket; mode 0660, of the group that this process runs with. */
  readonly socket: string;
  /** The passive range. */
  readonly low: number;
  readonly high: number;
}

export interface Gate {
  /** Stops listening. The table stays, so that ports don't open because this process ends. */
  close(): Promise<void>;
}

/** An opening, who asked for it, and when it is over (milliseconds since 1970). */
interface Admission extends Opening {
  readonly by: Socket;
  readonly until: number;
}

/** Requests of one connection that may be under way. */
const MOST_UNANSWERED = 1_024;

/** Creates the table and opens the socket. Throws an Error with nft's words where the table can't be made. */
export async function openGate({ socket: path, low, high }: GateOptions): Promise<Gate> {
  const nft = new Nft();
  const admissions = new Map<string, Admission>();
  await nft.run(createTable(low, high)).catch((error: Error) => {
    nft.close();
    throw new Error(`nftables can't be changed (${error.message}); \`ftps firewall\` needs the program nft and the capability CAP_NET_ADMIN`);
  });

  /** Somebody flushed the ruleset: the table is made again, with what was let in and is not over. */
  async function repair(): Promise<void> {
    const now = Date.now();
    const still = [...admissions.values()].filter(({ until }) => until > now);
    await nft.run([createTable(low, high), ...still.map((one) => admitElement(one, Math.ceil((one.until - now) / 1000)))].join('; '));
  }

  let repairing: Promise<void> | undefined;
  async function change(text: string, subject?: string): Promise<void> {
    try {
      await nft.run(text, subject);
    } catch {
      repairing ??= repair().finally(() => {
        repairing = undefined;
      });
      await repairing;
      await nft.run(text, subject);
    }
  }

  async function obey(words: Words, by: Socket): Promise<void> {
    if (words.word === 'health') return change(checkTable());
    const { address, port } = words;
    if (port < low || port > high) throw new Error(`port ${port} is not in the range ${low}-${high}`);
    const key = `${address} ${port}`;
    if (words.word === 'withdraw') {
      admissions.delete(key);
      return change(withdrawElement(words), key);
    }
    if (admissions.size >= MOST_ADMITTED) forgetPast(admissions);
    if (admissions.size >= MOST_ADMITTED) throw new Error(`${MOST_ADMITTED} openings are the most at once`);
    admissions.set(key, { address, port, by, until: Date.now() + words.seconds * 1000 });
    return change(admitElement(words, words.seconds), key);
  }

  /** A server that went away needs no openings any more. */
  function forget(by: Socket): void {
    for (const [key, one] of admissions)
      if (one.by === by) {
        admissions.delete(key);
        change(withdrawElement(one), key).catch(() => {}); // its time ends it
      }
  }

  const connections = new Set<Socket>();
  const server = createServer((connection) => {
    connections.add(connection);
    connection.on('error', () => {}); // `close` follows
    connection.once('close', () => {
      connections.delete(connection);
      forget(connection);
    });
    answerLines(connection, (words) => obey(words, connection));
  });
  rmSync(path, { force: true }); // left behind by a crash
  const mask = process.umask(0o117);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, resolve);
    });
  } finally {
    process.umask(mask);
  }
  return {
    async close() {
      for (const connection of connections) connection.destroy();
      await new Promise((resolve) => server.close(resolve));
      nft.close();
    },
  };
}

/** Reads lines and answers each in its turn. Whoever sends anything else is cut off. */
function answerLines(connection: Socket, obey: (words: Words) => Promise<void>): void {
  let rest = '';
  let unanswered = 0;
  let answers: Promise<void> = Promise.resolve();
  connection.setEncoding('latin1').on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      const words = readWords(line);
      if (!words) return void connection.destroy();
      unanswered += 1;
      const outcome = obey(words).then(
        () => 'ok\n',
        (error: Error) => `error ${error.message.replaceAll(/[^ -~]+/g, ' ')}\n`,
      );
      answers = answers.then(async () => {
        connection.write(await outcome);
        unanswered -= 1;
        if (connection.isPaused() && unanswered < MOST_UNANSWERED / 2) connection.resume();
      });
    }
    if (rest.length > LONGEST_LINE) connection.destroy();
    else if (unanswered > MOST_UNANSWERED) connection.pause();
  });
}

function forgetPast(admissions: Map<string, Admission>): void {
  const now = Date.now();
  for (const [key, { until }] of admissions) if (until < now) admissions.delete(key);
}
