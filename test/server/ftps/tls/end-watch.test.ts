import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import type { Accepted } from '../../../../server/tls/accept';
import { handleOf } from '../../../../server/tls/handle';
import { readInto } from '../../../../server/tls/read-into';
import { Pieces } from '../../support/pieces';
import { tlsPair } from '../../support/tls-pair';

/** Reads as an upload does; with a break after each piece, where `breaks` says when it is over. */
function collect(socket: TLSSocket, breaks?: (resume: () => void) => void): () => Buffer {
  const pieces = new Pieces(1_000);
  readInto(socket, {
    space: () => pieces.space(),
    took(bytes) {
      pieces.took(bytes);
      breaks?.(() => socket.resume());
      return !breaks;
    },
  });
  return () => pieces.content;
}

/** A wire that can be told to keep what would be sent next, so that it can be cut at any byte. */
class Wire extends Duplex {
  private kept: Buffer[] | undefined;

  constructor(private readonly tcp: Socket) {
    super();
    tcp.on('data', (chunk) => this.push(chunk)).on('error', () => {});
  }

  override _read(): void {}

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    if (this.kept) this.kept.push(chunk);
    else this.tcp.write(chunk);
    done();
  }

  /** Everything up to close_notify, of a client that sends the content and ends. */
  async keep(client: Duplex, content: Buffer): Promise<Buffer> {
    this.kept = [];
    client.end(content);
    await once(this, 'finish');
    return Buffer.concat(this.kept);
  }
}

/** How the bytes come: all at once, in two parts with the cut's last byte alone, or in many. */
type Portion = 'whole' | 'last byte alone' | 'many';
/** How the server reads: at once, with breaks, or only when everything has come, the end of TCP with it. */
type Reading = 'at once' | 'with breaks' | 'late';

/** The client sends the content and ends, but the wire is cut: so many bytes from its end, by the end of TCP or by a reset. */
async function sendAndCut(version: 'TLSv1.2' | 'TLSv1.3', content: Buffer, missing: number, how: 'end' | 'reset', portion: Portion, reading: Reading) {
  let wire!: Wire;
  const over = (tcp: Socket) => (wire = new Wire(tcp.setNoDelay()));
  const { tcp, client, accepted, end, transport, close } = await tlsPair({ version, over });
  const bytes = await wire.keep(client, content);
  const sent = bytes.subarray(0, bytes.length - missing);
  const handle = handleOf(transport)!;
  if (reading === 'late') handle.readStop();
  const outcome = read(accepted, reading === 'with breaks');
  const size = portion === 'whole' ? sent.length : portion === 'many' ? Math.ceil(sent.length / 7) : sent.length - 1;
  for (let at = 0; at < sent.length; at += size) {
    await new Promise((resolve) => tcp.write(sent.subarray(at, at + size), resolve));
    if (portion !== 'whole') await sleep(0);
  }
  if (how === 'end') tcp.end();
  else tcp.resetAndDestroy();
  if (reading === 'late') {
    await sleep(2);
    handle.readStart();
  }
  const result = await outcome;
  close();
  return { ...result, closeNotify: end.byCloseNotify() };
}

async function read({ socket }: Accepted, breaks: boolean): Promise<{ received: Buffer; ended: boolean }> {
  const over = Promise.race([once(socket, 'end').then(() => true), once(socket, 'close').then(() => false)]).catch(() => false);
  const received = collect(socket, breaks ? (resume) => setTimeout(resume, 1) : undefined);
  const ended = await over;
  return { received: received(), ended };
}

const ways = (['end', 'reset'] as const).flatMap((how) =>
  (['whole', 'last byte alone', 'many'] as const).flatMap((portion) =>
    (['at once', 'with breaks', 'late'] as const).map((reading) => ({ how, portion, reading })),
  ),
);
/** CUTS=1000 tries that many cuts each way; by itself a few. */
const CUTS = Number(process.env['CUTS'] ?? 1);

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('a cut at any byte under %s', (version) => {
  const alert = version === 'TLSv1.2' ? 31 : 24;

  it.each(ways)('is never taken for the end: $how, sent $portion, read $reading', async ({ how, portion, reading }) => {
    for (let turn = 0; turn < CUTS; turn += 1) {
      const content = randomBytes(randomInt(0, 40_000));
      const missing = [1, alert - 1, alert, alert + 1, randomInt(1, alert + content.length + 1)];
      for (const bytes of CUTS === 1 ? [missing[randomInt(missing.length)]!] : missing) {
        const result = await sendAndCut(version, content, bytes, how, portion, reading);
        expect({ bytes, length: content.length, closeNotify: result.closeNotify }).toEqual({ bytes, length: content.length, closeNotify: false });
      }
    }
  });

  it.each(ways)('but the end is, to the last byte: $how, sent $portion, read $reading', async ({ how, portion, reading }) => {
    for (let turn = 0; turn < CUTS; turn += 1) {
      const content = randomBytes(randomInt(0, 40_000));
      const { received, ended, closeNotify } = await sendAndCut(version, content, 0, how, portion, reading);
      expect({ length: received.length, ended, closeNotify }).toEqual({ length: content.length, ended: true, closeNotify: true });
      expect(received.equals(content)).toBe(true);
    }
  });
});

/** Reads with long breaks, so that the end comes while Node has stopped reading. */
async function readSlowly({ socket }: Accepted): Promise<Buffer> {
  const received = collect(socket, setImmediate);
  await once(socket, 'end');
  return received();
}

describe.each(['TLSv1.2', 'TLSv1.3'] as const)('what arrives slowly under %s', (version) => {
  // Not more than fits into the window: a reset throws away what the client's kernel has not sent yet.
  it.each([0, 1, 24, 16_384, 50_000])('and ends by close_notify is whole, also where a reset follows: %d bytes', async (size) => {
    const { client, tcp, accepted, end, close } = await tlsPair({ version });
    const content = randomBytes(size);
    const reading = readSlowly(accepted);
    client.end(content, () => tcp.resetAndDestroy());
    expect((await reading).equals(content)).toBe(true);
    expect(end.byCloseNotify()).toBe(true);
    close();
  });

  it.each([0, 1, 24, 16_384, 300_000])('and merely ends is cut: %d bytes', async (size) => {
    const { client, tcp, accepted, end, close } = await tlsPair({ version });
    const content = randomBytes(size);
    const reading = readSlowly(accepted);
    client.write(content, () => tcp.end());
    expect((await reading).equals(content)).toBe(true);
    expect(end.byCloseNotify()).toBe(false);
    close();
  });
});
