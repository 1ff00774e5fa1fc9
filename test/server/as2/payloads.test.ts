/** A folder in an outbox as one message of several payloads: what makes it one, what keeps it from going half, and where it goes. */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { dirname, join } from 'node:path';
import { openMessage, writeReceipt } from '../../../server/as2/message';
import { type MessageRecord, Records } from '../../../server/as2/records';
import { LocalNotes } from '../../../server/files/storage/local/notes';
import { freePort } from '../support/free-port';
import { type As2Served, as2Served, type Party, PLAIN, party } from './served';

let us: Party;
let them: Party;
beforeAll(async () => {
  [us, them] = await Promise.all([party('us'), party('them')]);
});

const ORDER = "UNB+UNOC:3+US+THEM'\r\n".repeat(20_000);
const DRAWING = Buffer.alloc(300_000, '%PDF-');
const sumOf = (content: string | Buffer) => createHash('sha256').update(content).digest('hex');

async function put(server: As2Served, path: string, content: string | Buffer): Promise<void> {
  const target = join(server.files, 'outbox', path);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(`${target}.part`, content);
  await rename(`${target}.part`, target);
}

const recordOf = (server: As2Served, messageId: string): Promise<MessageRecord | undefined> =>
  new Records(new LocalNotes(server.files), 1).read('sent', 'Them', messageId);

it.each(['sync', 'async'] as const)('a folder arrives as one message, compressed, signed and encrypted, with one %s receipt over all of it', async (kind) => {
  const [here, there] = [await freePort(), await freePort()];
  const full = { account: 'demo', allowPlainHttp: true, retry: { attempts: 3, firstSeconds: 0.05, longestSeconds: 0.1 } };
  const theirs = await as2Served(them, {
    id: 'Them',
    plainPort: there,
    partners: [{ ...full, as2Id: 'Us', url: `http://127.0.0.1:${here}/as2`, certificates: [us.certificate] }],
  });
  const ours = await as2Served(us, {
    plainPort: here,
    url: `http://127.0.0.1:${here}/as2`,
    partners: [
      {
        ...full,
        as2Id: 'Them',
        url: `http://127.0.0.1:${there}/as2`,
        certificates: [them.certificate],
        receipt: { kind },
        send: { compress: 'before-signing', contentType: 'application/edifact', contentTypes: { pdf: 'application/pdf' } },
      },
    ],
  });
  try {
    await put(ours, 'order-1/order.edi', ORDER);
    await put(ours, 'order-1/Zeichnung ä.pdf', DRAWING);
    await put(ours, 'order-1/empty.txt', '');
    await put(ours, 'order-1/send.txt', 'order.edi\r\nZeichnung ä.pdf\r\nempty.txt\r\n');
    const told = await ours.audit.next('as2-delivery', ({ state }) => state === 'delivered' || state === 'failed');
    const payloads = [
      { name: 'order.edi', bytes: ORDER.length, sha256: sumOf(ORDER) },
      { name: 'Zeichnung ä.pdf', bytes: DRAWING.length, sha256: sumOf(DRAWING) },
      { name: 'empty.txt', bytes: 0, sha256: sumOf('') },
    ];
    expect(told).toMatchObject({ state: 'delivered', path: '/outbox/order-1', bytes: ORDER.length + DRAWING.length, payloads });
    expect(await theirs.names('inbox')).toEqual(['Zeichnung ä.pdf', 'empty.txt', 'order.edi']);
    expect([sumOf(await theirs.content('inbox/order.edi')), sumOf(await theirs.content('inbox/Zeichnung ä.pdf'))]).toEqual([sumOf(ORDER), sumOf(DRAWING)]);
    const taken = theirs.audit.of('as2-message').filter(({ what }) => what === 'message');
    expect(taken).toMatchObject([{ outcome: 'success', layers: 'encrypted aes-256-cbc, signed sha256, compressed', messageId: told.messageId }]);
    await ours.audit.next('command', ({ renamedTo }) => renamedTo === '/sent/order-1');
    expect(await ours.names('sent/order-1')).toEqual(['Zeichnung ä.pdf', 'empty.txt', 'order.edi', 'send.txt']);
    expect(await ours.names('outbox')).toEqual([]);
    const record = (await recordOf(ours, told.messageId!))!;
    expect(record).toMatchObject({ state: 'done', mic: { algorithm: 'sha256' }, receipt: { body: expect.anything() } });
    expect(record.payloads).toEqual(payloads.map(({ name, bytes, sha256 }, index) => ({ index, name, bytes, sha256, path: `/outbox/order-1/${name}` })));
    expect(taken[0]!.mic).toBe(`${record.mic!.value}, ${record.mic!.name}`);
  } finally {
    await ours.close();
    await theirs.close();
  }
});

interface Came {
  readonly headers: IncomingHttpHeaders;
  readonly contentType: string;
  readonly payloads: readonly { readonly name?: string; readonly contentType: string; readonly content: string }[];
}

describe('a partner that looks at what comes', () => {
  let partner: Server;
  let server: As2Served;
  let came: Came[] = [];
  let status = 200;
  beforeAll(async () => {
    partner = createServer(async (request, response) => {
      const { headers } = request;
      const payloads: Came['payloads'][number][] = [];
      const open = { decryption: [], signers: [], policy: { mustSign: false, mustEncrypt: false } };
      try {
        const { contentType, mic } = await openMessage(headers, request, open, {}, async ({ name, contentType: type, body }) => {
          const pieces: Buffer[] = [];
          for await (const piece of body) pieces.push(piece);
          payloads.push({ name, contentType: type, content: Buffer.concat(pieces).toString() });
        });
        came.push({ headers, contentType, payloads });
        const receipt = { messageId: '<r@them>', originalMessageId: String(headers['message-id']), finalRecipient: 'Them', text: 'said', mic };
        const written = await writeReceipt(receipt);
        response.writeHead(status, written.headers).end(written.body);
      } catch {
        response.destroy(); // it broke off
      }
    }).listen(0, '127.0.0.1');
    await once(partner, 'listening');
    const url = `http://127.0.0.1:${(partner.address() as { port: number }).port}/`;
    const retry = { attempts: 50, firstSeconds: 0.05, longestSeconds: 0.1 };
    server = await as2Served(us, {
      partners: [
        { ...PLAIN, as2Id: 'Them', url, retry, send: { ...PLAIN.send, contentTypes: { edi: 'application/edifact' } }, sent: '/outbox/sent' },
        { ...PLAIN, as2Id: 'Second', url, outbox: '/second', sent: 'remove', failed: '/second/failed' },
      ],
    });
  });
  afterAll(async () => {
    await server?.close();
    partner.closeAllConnections();
    partner.close();
  });
  beforeEach(() => {
    came = [];
    status = 200;
  });
  const over = (path: string) => server.audit.next('as2-delivery', (one) => one.path === path && (one.state === 'delivered' || one.state === 'failed'));
  const gone = (path: string) => server.audit.next('command', (one) => one.path === path && one.renamedTo !== undefined);

  it('without a list a folder is none; with one it goes when all that is named is there, in the order of the list', async () => {
    await put(server, 'first/b.edi', 'b');
    await put(server, 'first/a.pdf', 'a');
    await put(server, 'without-list/a.edi', 'a');
    await put(server, 'further/send.txt', 'z.edi\n');
    await put(server, 'further/z.edi', 'z');
    await put(server, 'further/thumbs.db', 'nobody named it');
    await put(server, 'first/send.txt', '\ufeffb.edi\n\nc.edi\na.pdf');
    // Whoever comes behind it has been looked at after it.
    await put(server, 'alone.edi', 'alone');
    await over('/outbox/alone.edi');
    expect(came.map(({ payloads }) => payloads.map(({ name }) => name))).toEqual([['alone.edi']]);
    await put(server, 'first/c.edi', 'c');
    expect(await over('/outbox/first')).toMatchObject({ state: 'delivered' });
    expect(came).toHaveLength(2);
    expect(came[1]).toMatchObject({
      headers: { 'ediint-features': 'multiple-attachments' },
      contentType: expect.stringMatching(/^multipart\/related; type="application\/edifact"; boundary=/),
      payloads: [
        { name: 'b.edi', contentType: 'application/edifact', content: 'b' },
        { name: 'c.edi', contentType: 'application/edifact', content: 'c' },
        { name: 'a.pdf', contentType: 'application/octet-stream', content: 'a' },
      ],
    });
    await gone('/outbox/first');
    // What was sent lies in the outbox here, and is no message.
    expect(await server.names('outbox')).toEqual(['further', 'sent', 'without-list']);
    await rm(join(server.files, 'outbox/further'), { recursive: true });
  });

  const many = Array.from({ length: 65 }, (_, index) => `${index}.edi`).join('\n');
  it.each([
    ['too-many', many, 'send.txt names 65 files; a message has 64 at most'],
    ['nothing', '\r\n', 'send.txt names no file'],
    ['twice', 'a.edi\na.edi', 'send.txt names a.edi twice'],
    ['elsewhere', '../a.edi', 'send.txt names ../a.edi, which is no name of a file that is sent'],
    ['itself', 'send.txt', 'send.txt names send.txt, which is no name of a file that is sent'],
    ['long', 'a'.repeat(70_000), 'send.txt has more than 65536 bytes'],
  ])('a list that can never be sent fails in words: %s', async (name, list, detail) => {
    await put(server, `${name}/send.txt`, list);
    expect(await over(`/outbox/${name}`)).toMatchObject({ state: 'failed', detail, payloads: [] });
    await gone(`/outbox/${name}`);
    expect(await server.names(`failed/${name}`)).toEqual(['send.txt']);
    expect(came).toEqual([]);
  });

  it.each<[string, string, (path: string) => Promise<void>]>([
    ['changed', 'b.edi has changed since the message was made', (path) => writeFile(join(path, 'b.edi'), 'longer than before')],
    ['taken away', 'send.txt names b.edi, which is not there', (path) => rm(join(path, 'b.edi'))],
  ])('a file that is %s between two attempts ends the message in words, and all of the folder goes together', async (what, detail, change) => {
    const name = what.replace(' ', '-');
    status = 500;
    const isDone = new Promise<void>((resolve) => {
      partner.once('request', (_, response) => response.once('finish', resolve));
    });
    await put(server, `${name}/a.edi`, 'a');
    await put(server, `${name}/b.edi`, 'b');
    await put(server, `${name}/send.txt`, 'a.edi\nb.edi');
    await isDone;
    await change(join(server.files, 'outbox', name));
    status = 200;
    expect(await over(`/outbox/${name}`)).toMatchObject({ state: 'failed', detail });
    await gone(`/outbox/${name}`);
    expect(new Set(came.map(({ headers }) => headers['message-id'])).size).toBe(1);
    expect(came.every(({ payloads }) => payloads.map(({ content }) => content).join() === 'a,b')).toBe(true);
    expect(await server.names(`failed/${name}`)).toEqual(what === 'changed' ? ['a.edi', 'b.edi', 'send.txt'] : ['a.edi', 'send.txt']);
    expect(await server.names('outbox')).not.toContain(name);
  });

  it('what was sent is removed where that is agreed on, and what nobody named stays', async () => {
    const at = (name: string) => join(server.files, 'second/pair', name);
    await mkdir(at('.'), { recursive: true });
    await writeFile(at('.notes'), 'kept');
    await writeFile(at('a.edi'), 'a');
    await writeFile(at('b.edi'), 'b');
    await writeFile(at('.list'), 'a.edi\nb.edi\n');
    await rename(at('.list'), at('send.txt'));
    expect(await over('/second/pair')).toMatchObject({ state: 'delivered' });
    await server.audit.next('command', ({ path }) => path === '/second/pair/send.txt');
    expect(await server.names('second/pair')).toEqual(['.notes']);
  });
});
