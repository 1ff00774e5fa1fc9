/** Messages of partners as they come in. */
import { createHash } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { type As2Served, as2Served, asking, type Party, PLAIN, party, receiptIn, send } from './served';

let us: Party;
let server: As2Served;
beforeAll(async () => {
  us = await party('us');
  server = await as2Served(us, { partners: [{ ...PLAIN, as2Id: 'Them' }] }, {}, [{ user: 'demo', maxSessions: 8 }]);
});
afterAll(() => server?.close());

const edi = (headers: Record<string, string> = {}) => ({
  'Content-Type': 'application/edi-x12',
  'Content-Disposition': 'attachment; filename="order.edi"',
  ...headers,
});

it('a payload lands in the inbox by its name, with a receipt in the answer, a transfer and one line of the message', async () => {
  const answer = await send(server.as2Port, { ...asking('<first@them>'), ...edi() }, 'ISA*00*1~');
  expect(answer.status).toBe(200);
  expect(await server.content('inbox/order.edi')).toBe('ISA*00*1~');
  expect(answer.headers).toMatchObject({ 'as2-from': 'Us', 'as2-to': 'Them' });
  const text = answer.body.toString();
  expect(text).toContain('Original-Message-ID: <first@them>');
  expect(text).toContain('Disposition: automatic-action/MDN-sent-automatically; processed\r\n');
  expect(text).toContain(`Received-content-MIC: ${createHash('sha256').update('ISA*00*1~').digest('base64')}, sha-256`);
  expect(server.audit.of('as2-message')).toMatchObject([
    { messageId: '<first@them>', partner: 'Them', user: 'demo', outcome: 'success', bytes: 9, receipt: 'sync', protocol: 'as2' },
  ]);
  expect(server.audit.of('transfer')).toMatchObject([{ transfer: 'upload', command: 'AS2', path: '/inbox/order.edi', protocol: 'as2', outcome: 'success' }]);
});

it('a repeated Message-ID gets the same receipt and delivers nothing; another message by its ID is refused', async () => {
  const message = () => send(server.as2Port, { ...asking('<twice@them>'), ...edi({ 'Content-Disposition': 'attachment; filename="twice.edi"' }) }, 'one');
  const [first, second] = [await message(), await message()];
  expect(second.body.toString()).toBe(first.body.toString());
  expect(second.headers['message-id']).toBe(first.headers['message-id']);
  await rm(join(server.files, 'inbox/twice.edi'));
  expect((await message()).body.equals(first.body)).toBe(true);
  expect((await server.names('inbox')).filter((name) => name.startsWith('twice'))).toEqual([]);
  const other = await send(server.as2Port, { ...asking('<twice@them>'), ...edi() }, 'something else');
  expect((await receiptIn(other)).receipt).toMatchObject({ processed: false, modifier: 'error: duplicate-document' });
});

it('of the same message on several connections at once one is delivered, and all get its receipt', async () => {
  const message = () =>
    send(server.as2Port, { ...asking('<at-once@them>'), ...edi({ 'Content-Disposition': 'attachment; filename="at-once.edi"' }) }, 'x'.repeat(100_000));
  const answers = await Promise.all(Array.from({ length: 6 }, message));
  expect(new Set(answers.map(({ body }) => body.toString())).size).toBe(1);
  expect((await server.names('inbox')).filter((name) => name.startsWith('at-once'))).toEqual(['at-once.edi']);
});

it('of two messages at once whose files have one name, both are taken', async () => {
  const message = (id: string) =>
    send(server.as2Port, { ...asking(id), ...edi({ 'Content-Disposition': 'attachment; filename="common.edi"' }) }, id.repeat(10_000));
  const ids = ['<c1@them>', '<c2@them>', '<c3@them>', '<c4@them>'];
  const answers = await Promise.all(ids.map(message));
  for (const answer of answers) expect((await receiptIn(answer)).receipt).toMatchObject({ processed: true });
  expect((await server.names('inbox')).filter((name) => name.startsWith('common'))).toEqual(['common-2.edi', 'common-3.edi', 'common-4.edi', 'common.edi']);
});

it('names that are taken get a number, names that lead elsewhere lose their folders, and what has none is named by its message', async () => {
  const named = (id: string, name?: string) =>
    send(server.as2Port, { ...asking(id), 'Content-Type': 'text/plain', ...(name && { 'Content-Disposition': `attachment; filename="${name}"` }) }, id);
  await named('<n1@them>', 'same.txt');
  await named('<n2@them>', 'same.txt');
  await named('<n3@them>', '../../etc/passwd');
  await named('<n4@them>', '.ftps-staging');
  await named('<n5@them>');
  const names = await server.names('inbox');
  expect(names).toEqual(expect.arrayContaining(['same.txt', 'same-2.txt', 'passwd', 'n4@them.msg', 'n5@them.msg']));
});

it.each([
  ['is for somebody else', { 'AS2-To': 'Others' }, 'error: unknown-trading-partner'],
  ['is of nobody known', { 'AS2-From': 'Strangers' }, 'error: unknown-trading-relationship'],
])('a message that %s is told so', async (_what, headers, modifier) => {
  const answer = await send(server.as2Port, { ...asking(`<${modifier}@them>`), ...edi(), ...headers }, 'x');
  expect((await receiptIn(answer)).receipt).toMatchObject({ processed: false, modifier });
});

it('no receipt goes to a host that is not the partner’s, and the message is refused', async () => {
  const answer = await send(server.as2Port, { ...asking('<ssrf@them>', { 'Receipt-Delivery-Option': 'http://169.254.169.254/latest' }), ...edi() }, 'x');
  expect(answer.status).toBe(403);
  expect(await server.audit.next('request', ({ reason }) => reason === 'receipt-address')).toMatchObject({ status: 403 });
});

it('without AS2-From, or by GET, there is nothing to receipt', async () => {
  expect((await send(server.as2Port, { 'AS2-To': 'Us', ...edi() }, 'x')).status).toBe(400);
  expect((await send(server.as2Port, {}, '', '/other')).status).toBe(404);
});

it('messages that never end take the places of others, and none of the account at its other doors', async () => {
  const messages = Array.from({ length: 8 }, (_, index) => {
    const asked = request({ host: '127.0.0.1', port: server.as2Port, method: 'POST', path: '/as2', headers: { ...asking(`<slow${index}@them>`), ...edi() } });
    asked.on('error', () => {}).write('x');
    return asked;
  });
  while (server.server.transfers() < 8) await new Promise((resolve) => setTimeout(resolve, 5));
  expect((await send(server.as2Port, { ...asking('<ninth@them>'), ...edi() }, 'x')).status).toBe(503);
  (await server.client()).close();
  for (const asked of messages) asked.destroy();
  while (server.server.transfers() > 0) await new Promise((resolve) => setTimeout(resolve, 5));
});

it('a connection that is lost in the middle leaves nothing', async () => {
  async function* cut(): AsyncIterable<Buffer> {
    yield Buffer.alloc(200_000, 'x');
    while (server.server.transfers() === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    throw new Error('gone');
  }
  await expect(send(server.as2Port, { ...asking('<cut@them>'), ...edi({ 'Content-Disposition': 'attachment; filename="cut.edi"' }) }, cut())).rejects.toThrow(
    'gone',
  );
  expect(await server.names('inbox')).not.toContain('cut.edi');
});
