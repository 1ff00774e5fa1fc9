/** Messages that go on where they were cut (draft-harding-as2-restart-07), with a partner in the test's own hands that speaks the draft's raw form. */
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, request, type Server } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import { writeReceipt } from '../../../server/as2/message';
import { type Answer, type As2Served, as2Served, asking, type Party, PLAIN, party, receiptIn, send } from './served';

const MIB = 1024 * 1024;
const RESTART = { fromBytes: 5 * MIB, keptBytes: 30 * MIB };
const content = (bytes: number): Buffer => {
  const made = randomBytes(bytes);
  made.write("UNB+UNOC:3+THEM+US'");
  return made;
};
const sumOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

let us: Party;
beforeAll(async () => {
  us = await party('us');
});

describe('a partner that begins, is cut and goes on', () => {
  let server: As2Served;
  const body = content(7 * MIB);
  beforeAll(async () => {
    server = await as2Served(
      us,
      {
        restart: RESTART,
        partners: [
          { ...PLAIN, as2Id: 'Them', restart: { receive: true } },
          { ...PLAIN, as2Id: 'Others', restart: { receive: true } },
          { ...PLAIN, as2Id: 'Never' },
        ],
        // What has come is asked for again and again here, each time on a connection of its own.
      },
      { limits: { strangersPerAddress: 100_000, connectionsPerMinutePerAddress: 100_000 } },
    );
  });
  afterAll(() => server?.close());

  const headers = (id: string, etag: string, further: Record<string, string> = {}) => ({
    ...asking(id, further),
    'Content-Type': 'application/edifact',
    'Content-Disposition': `attachment; filename="${etag.replaceAll('"', '')}.edi"`,
    Etag: etag,
  });
  /** How much the server has, by HEAD. */
  const head = (further: Record<string, string>, from = 'Them') =>
    ask('HEAD', { 'AS2-From': from, 'AS2-To': 'Us', 'AS2-Version': '1.2', ...further }).then(({ status, headers: said }) => [status, said['content-length']]);
  const ask = async (method: string, asked: Record<string, string>): Promise<Answer> => {
    const head = request({ host: '127.0.0.1', port: server.as2Port, method, path: '/as2', headers: asked, agent: false }).end();
    const [response] = (await once(head, 'response')) as [IncomingMessage];
    response.resume();
    return { status: response.statusCode!, headers: response.headers, body: Buffer.alloc(0) };
  };
  /** Sends so much and cuts the connection; fulfilled with what the server has when it has noticed. */
  const cutAfter = async (bytes: number, asked: Record<string, string>, from = 0, most = from + bytes): Promise<number> => {
    const socket = connect(server.as2Port, '127.0.0.1');
    const lines = Object.entries({ Host: 'us', ...asked, 'Content-Length': String(body.length - from) }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`POST /as2 HTTP/1.1\r\n${lines.join('')}\r\n`);
    await new Promise<void>((resolve) => socket.write(body.subarray(from, from + bytes), () => resolve()));
    socket.end();
    socket.resume();
    await once(socket, 'close');
    return kept(asked['Etag']!, most);
  };
  /** What is answered to the head of a message, of whose body nothing comes. */
  const refusal = async (asked: Record<string, string>, length: number) => {
    const one = request({
      host: '127.0.0.1',
      port: server.as2Port,
      method: 'POST',
      path: '/as2',
      headers: { ...asked, 'Content-Length': length },
      agent: false,
    });
    one.flushHeaders();
    const [response] = (await once(one, 'response')) as [IncomingMessage];
    one.on('error', () => {}).destroy();
    return [response.statusCode, response.headers['content-range']];
  };
  const kept = async (Etag: string, bytes: number): Promise<number> => {
    for (const end = Date.now() + 5_000; ; await new Promise((resolve) => setTimeout(resolve, 20))) {
      const [, length] = await head({ Etag });
      if (Number(length) === bytes || Date.now() > end) return Number(length);
    }
  };
  const rest = (id: string, etag: string, from: number, range = `bytes ${from}-${body.length - 1}/${body.length}`, bytes = body.subarray(from)) =>
    send(server.as2Port, { ...headers(id, etag), 'Content-Range': range, 'Content-Length': String(bytes.length) }, bytes);

  it('twice: the server says exactly how much it has, takes each rest, and receipts and delivers it once', async () => {
    const id = '<cut@them>';
    const etag = '"ci1257348820455.829541"';
    expect(await head({ Etag: etag })).toEqual([200, '0']);
    expect(await cutAfter(5 * MIB + 17, headers(id, etag))).toBe(5 * MIB + 17);
    const from = 5 * MIB + 17;
    const second = { ...headers(id, etag), 'Content-Range': `${from}-${body.length - 1}/${body.length}` };
    expect(await cutAfter(MIB, second, from)).toBe(from + MIB);
    const answer = await rest(id, etag, from + MIB);
    const { receipt } = await receiptIn(answer);
    expect(receipt).toMatchObject({ processed: true, mic: { value: sumOf256(body) } });
    expect(server.audit.of('as2-message').at(-1)).toMatchObject({ outcome: 'success', bytes: body.length });
    expect(await readContent(server, 'inbox/ci1257348820455.829541.edi').then(sumOf)).toBe(sumOf(body));
    // It heard nothing, and asks: all is there, its last byte brings the same receipt, and nothing is delivered.
    expect(await kept(etag, body.length)).toBe(body.length);
    const again = await rest(id, etag, body.length - 1);
    expect([again.status, again.body.equals(answer.body)]).toEqual([200, true]);
    expect(await server.names('inbox')).toEqual(['ci1257348820455.829541.edi']);
    // Nothing else of it is taken, and nobody gets its receipt by another Message-ID.
    expect((await rest(id, etag, body.length - 2)).headers['content-range']).toBe(`bytes */${body.length}`);
    expect((await rest('<else@them>', etag, body.length - 1)).headers['content-range']).toBe('bytes */0');
    expect(await head({ Etag: etag })).toEqual([200, '0']);
    expect(await namesKept(server)).toEqual([]);
  });

  it('what does not begin where it ended is refused with the place where it does, and nothing is lost', async () => {
    const id = '<wrong@them>';
    const etag = '"wrong"';
    const has = await cutAfter(5 * MIB, headers(id, etag));
    const last = body.length - 1;
    for (const [from, range] of [
      [has - 1, undefined],
      [has + 1, undefined],
      [has, `bytes ${has}-${last - 1}/${body.length}`],
      [has, `bytes ${has}-${last + 1}/${body.length + 2}`],
      [has, `bytes ${last}-${has}/${body.length}`],
      [has, 'bytes */1'],
      [has, `bytes ${has}-${last}/*`],
    ] as const) {
      expect([
        range,
        ...(await refusal({ ...headers(id, etag), 'Content-Range': range ?? `bytes ${from}-${last}/${body.length}` }, body.length - from)),
      ]).toEqual([range, 416, `bytes */${has}`]);
    }
    // Somebody else's transfer is nobody's here, also by the same id, and so is that of a partner with whom it is not agreed on.
    expect(await head({ Etag: etag }, 'Others')).toEqual([200, '0']);
    expect((await head({ Etag: etag }, 'Never'))[0]).toBe(405);
    expect((await head({ Etag: etag }, 'Nobody'))[0]).toBe(405);
    const stolen = { ...headers(id, etag), 'AS2-From': 'Others', 'Content-Range': `bytes ${has}-${last}/${body.length}` };
    expect(await refusal(stolen, body.length - has)).toEqual([416, 'bytes */0']);
    expect(await head({ Etag: 'x'.repeat(10_000) })).toEqual([200, '0']);
    expect(await head({ Etag: '../../../etc/passwd' })).toEqual([200, '0']);
    expect((await rest(id, etag, has)).status).toBe(200);
    expect(await readContent(server, 'inbox/wrong.edi').then(sumOf)).toBe(sumOf(body));
  });

  it('a body that is longer than it said, or shorter, is refused', async () => {
    const has = await cutAfter(5 * MIB, headers('<longer@them>', '"longer"'));
    async function* more(bytes: Buffer) {
      for (let at = 0; at < bytes.length; at += MIB) yield bytes.subarray(at, at + MIB);
    }
    const chunked = (bytes: Buffer) =>
      send(server.as2Port, { ...headers('<longer@them>', '"longer"'), 'Content-Range': `bytes ${has}-${body.length - 1}/${body.length}` }, more(bytes)).catch(
        () => ({ status: 416 }),
      );
    expect((await chunked(Buffer.concat([body.subarray(has), Buffer.from('x')]))).status).toBe(416);
    expect(await kept('"longer"', body.length)).toBe(body.length);
    // All that the message has is there by now, and its last byte ends it.
    expect((await rest('<longer@them>', '"longer"', body.length - 1)).status).toBe(200);
    expect(await readContent(server, 'inbox/longer.edi').then(sumOf)).toBe(sumOf(body));
  });

  it('of two that go on at once with the same bytes one delivers, and who was later is told how much has come; other bytes are refused', async () => {
    const has = await cutAfter(5 * MIB, headers('<both@them>', '"both"'));
    const answers = await Promise.all([rest('<both@them>', '"both"', has), rest('<both@them>', '"both"', has)]);
    // Who comes when the other has brought some of it is told so.
    expect([200, 416]).toEqual(expect.arrayContaining(answers.map(({ status }) => status)));
    expect(answers.map(({ status }) => status)).toContain(200);
    expect((await rest('<both@them>', '"both"', body.length - 1)).status).toBe(200);
    expect((await server.names('inbox')).filter((name) => name.startsWith('both'))).toEqual(['both.edi']);
    const again = await cutAfter(5 * MIB, headers('<spoilt@them>', '"spoilt"'));
    const spoilt = Buffer.from(body.subarray(again));
    spoilt[MIB]! ^= 1;
    const mixed = await Promise.all([
      rest('<spoilt@them>', '"spoilt"', again),
      rest('<spoilt@them>', '"spoilt"', again, undefined, spoilt).catch(() => ({ status: 409 })),
    ]);
    // Whose stretch was stored first can't be known; nobody's is changed by the other.
    expect(mixed.map(({ status }) => status).filter((status) => status !== 200 && status !== 409 && status !== 416)).toEqual([]);
  });

  it('a message that comes again from its beginning takes the place of what was kept', async () => {
    await cutAfter(5 * MIB, headers('<anew@them>', '"anew"'));
    expect((await send(server.as2Port, headers('<anew@them>', '"anew"'), body)).status).toBe(200);
    expect(await readContent(server, 'inbox/anew.edi').then(sumOf)).toBe(sumOf(body));
  });

  it('a rest without an id, or to whom it is not agreed on, is refused, as it is no message; short ones leave nothing', async () => {
    const { Etag: _, ...without } = headers('<without@them>', '"w"');
    const range = { 'Content-Range': `bytes 100-199/200` };
    expect(await send(server.as2Port, { ...without, ...range }, 'x'.repeat(100))).toMatchObject({ status: 416, headers: { 'content-range': 'bytes */0' } });
    expect(await send(server.as2Port, { ...headers('<n@them>', '"n"'), 'AS2-From': 'Never', ...range }, 'x'.repeat(100))).toMatchObject({ status: 416 });
    expect((await send(server.as2Port, { ...headers('<short@them>', '"short"'), 'Content-Range': 'bytes 0-4/5' }, 'short')).status).toBe(200);
    expect(await head({ Etag: '"short"' })).toEqual([200, '0']);
  });

  it('Etags without end find an end', async () => {
    const kept: number[] = [];
    for (let at = 0; at < 5; at += 1) kept.push(await cutAfter(4 * MIB + 1, headers(`<many-${at}@them>`, `"many-${at}"`), 0, at < 2 ? 4 * MIB + 1 : 0));
    // What was left over before takes its room as well.
    expect(kept.filter((bytes) => bytes > 0).length).toBeLessThanOrEqual(4);
    expect(kept.at(-1)).toBe(0);
    expect((await send(server.as2Port, headers('<beyond@them>', '"beyond"'), body)).status).toBe(200);
  });
});

function sumOf256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('base64');
}

const readContent = (server: As2Served, path: string): Promise<Buffer> => readFile(join(server.files, path));
const namesKept = (server: As2Served): Promise<string[]> => server.names('.ftps-notes/as2/kept');

const put = async (server: As2Served, folder: string, bytes: Buffer) => {
  await mkdir(join(server.files, folder), { recursive: true });
  await writeFile(join(server.files, 'put'), bytes);
  await rename(join(server.files, 'put'), join(server.files, folder, 'large.edi'));
};

describe('a partner that is sent to', () => {
  it('one by hand gets the rest behind what it says to have, its last byte where it has all, and the whole where it does not say', async () => {
    const bytes = content(6 * MIB);
    const partners = new Map<string, ByHand>();
    for (const [id, says, cutAfter] of [
      ['Kept', 'kept', 4 * MIB],
      ['Unheard', 'kept', 6 * MIB],
      ['Missing', 404, MIB],
      ['Busy', 503, MIB],
      ['Down', 'down', 4 * MIB],
      ['Beyond', 'more', MIB],
      ['Nonsense', 'nonsense', MIB],
    ] as const)
      partners.set(id, await ByHand.start(says, cutAfter));
    const ours = await as2Served(us, {
      restart: RESTART,
      partners: [...partners].map(([as2Id, { url }]) => ({
        ...PLAIN,
        as2Id,
        url,
        restart: { send: true },
        outbox: `/${as2Id}`,
        retry: { attempts: 5, firstSeconds: 0.05, longestSeconds: 0.05 },
      })),
    });
    try {
      for (const id of partners.keys()) await put(ours, id, bytes);
      await Promise.all([...partners.keys()].map((id) => ours.audit.next('as2-delivery', ({ state, partner }) => state === 'delivered' && partner === id)));
      const asked = (id: string) => partners.get(id)!.asked.map(({ method, headers }) => [method, headers['content-range'], headers['as2-from'], headers.etag]);
      const [[, , , etag]] = asked('Kept') as [string[]];
      expect(etag).toMatch(/^"[0-9a-f]{32}"$/);
      expect(asked('Kept')).toEqual([
        ['POST', undefined, 'Us', etag],
        ['HEAD', undefined, 'Us', etag],
        ['POST', `bytes ${4 * MIB}-${6 * MIB - 1}/${6 * MIB}`, 'Us', etag],
      ]);
      expect(asked('Unheard').map(([method, range]) => [method, range])).toEqual([
        ['POST', undefined],
        ['HEAD', undefined],
        ['POST', `bytes ${6 * MIB - 1}-${6 * MIB - 1}/${6 * MIB}`],
      ]);
      expect(asked('Busy').map(([method, range]) => [method, range])).toEqual([
        ['POST', undefined],
        ['HEAD', undefined],
        ['HEAD', undefined],
        ['POST', undefined],
      ]);
      // It has said once what it has, and is out of order for a while: that is not lost.
      expect(asked('Down').map(([method, range]) => [method, range])).toEqual([
        ['POST', undefined],
        ['HEAD', undefined],
        ['POST', `bytes ${4 * MIB}-${6 * MIB - 1}/${6 * MIB}`],
        ['HEAD', undefined],
        ['HEAD', undefined],
        ['HEAD', undefined],
        ['HEAD', undefined],
        ['POST', `bytes ${5 * MIB}-${6 * MIB - 1}/${6 * MIB}`],
      ]);
      for (const id of ['Missing', 'Beyond', 'Nonsense'])
        expect([id, ...asked(id).map(([method, range]) => [method, range])]).toEqual([id, ['POST', undefined], ['HEAD', undefined], ['POST', undefined]]);
      for (const [id, { whole }] of partners) expect([id, sumOf(whole)]).toEqual([id, sumOf(bytes)]);
    } finally {
      await ours.close();
      for (const partner of partners.values()) partner.stop();
    }
  });
});

/** The draft's raw form, as another program has it. */
class ByHand {
  readonly asked: IncomingMessage[] = [];
  whole = Buffer.alloc(0);

  private constructor(private readonly server: Server) {}

  /** `says`: what it answers to HEAD. The first message is cut after so many bytes. */
  static async start(says: number | 'kept' | 'more' | 'nonsense' | 'down', cutAfter: number): Promise<ByHand> {
    let cuts = says === 'down' ? 2 : 1;
    let heads = 0;
    const server: Server = createServer(async (asked, answer) => {
      partner.asked.push(asked);
      if (asked.method === 'HEAD') {
        if (typeof says === 'number') return answer.writeHead(says).end();
        heads += 1;
        if (says === 'down' && heads > 1 && heads < 5) return answer.writeHead(503).end();
        const length = { kept: String(partner.whole.length), down: String(partner.whole.length), more: '99999999999', nonsense: undefined }[says];
        return answer.writeHead(200, length === undefined ? { 'Transfer-Encoding': 'chunked' } : { 'Content-Length': length }).end();
      }
      const first = Number(/^bytes (\d+)-/.exec(asked.headers['content-range'] ?? '')?.[1] ?? 0);
      const { socket } = asked;
      const pieces: Buffer[] = [partner.whole.subarray(0, first)];
      let left = cuts === 0 ? Number.POSITIVE_INFINITY : first > 0 ? MIB : cutAfter;
      for await (const piece of asked) {
        pieces.push((piece as Buffer).subarray(0, left));
        left -= (piece as Buffer).length;
        if (left <= 0) break;
      }
      partner.whole = Buffer.concat(pieces);
      if (cuts > 0) {
        cuts -= 1;
        return socket.destroy();
      }
      const written = await writeReceipt({
        messageId: '<r@them>',
        originalMessageId: String(asked.headers['message-id']),
        finalRecipient: 'Them',
        text: 'said',
        mic: { algorithm: 'sha256', name: 'sha-256', value: sumOf256(partner.whole) },
      });
      answer.writeHead(200, written.headers).end(written.body);
    });
    const partner = new ByHand(server);
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return partner;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as { port: number }).port}/`;
  }

  stop(): void {
    this.server.closeAllConnections();
    this.server.close();
  }
}
