/** What strangers can have our keys do. */
import crypto from 'node:crypto';
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { sealMessage } from '../../../server/as2/message';
import { type As2Served, as2Served, asking, type Party, PLAIN, party } from './served';

const MANY = 24;

let us: Party;
let server: As2Served;
beforeAll(async () => {
  us = await party('us.example.com');
  server = await as2Served(us, { partners: [{ ...PLAIN, as2Id: 'Them' }] });
});
afterAll(async () => {
  jest.restoreAllMocks();
  await server.close();
});

/** All at the same moment, each on a connection of its own. */
async function sendAtOnce(headers: (index: number) => Record<string, string>, body: Buffer): Promise<number[]> {
  const agents = Array.from({ length: MANY }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
  const ask = async (agent: Agent, index: number) => {
    const asked = request({ host: '127.0.0.1', port: server.as2Port, method: 'POST', path: '/as2', agent, headers: headers(index) });
    asked.end(body);
    const [response] = await once(asked, 'response');
    response.resume();
    await once(response, 'end');
    return response.statusCode as number;
  };
  const statuses = await Promise.all(agents.map(ask));
  for (const agent of agents) agent.destroy();
  return statuses;
}

it('a message that is encrypted six times over, on many connections at once, has our key used once in each turn of the event loop', async () => {
  let content: { headers: Record<string, string>; body: Buffer } = { headers: { 'Content-Type': 'text/plain' }, body: Buffer.from('\r\nx') };
  for (let layer = 0; layer < 6; layer += 1) content = await encrypted(content);
  const headers = (index: number) => ({ ...content.headers, ...asking(`<layers-${index}@them>`) });
  let turn = 0;
  let isOver = false;
  const count = () => {
    turn += 1;
    if (!isOver) setImmediate(count);
  };
  count();
  const turns: number[] = [];
  const real = crypto.privateDecrypt;
  jest.spyOn(crypto, 'privateDecrypt').mockImplementation(((...args: Parameters<typeof real>) => {
    turns.push(turn);
    return real(...args);
  }) as typeof real);
  await sendAtOnce(headers, content.body);
  isOver = true;
  expect(turns.length).toBeGreaterThanOrEqual(MANY);
  const most = Math.max(...turns.map((one) => turns.filter((other) => other === one).length));
  expect(most).toBeLessThanOrEqual(2);
});

it('receipts that anybody asked for are signed one after the other', async () => {
  let [running, most] = [0, 0];
  const real = crypto.sign as (...args: unknown[]) => unknown;
  jest.spyOn(crypto, 'sign').mockImplementation(((...args: unknown[]) => {
    const done = args.at(-1) as (...all: unknown[]) => void;
    running += 1;
    most = Math.max(most, running);
    return real(...args.slice(0, -1), (...all: unknown[]) => {
      running -= 1;
      done(...all);
    });
  }) as never);
  const signed = { 'Disposition-Notification-Options': 'signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, sha-256' };
  const statuses = await sendAtOnce((index) => ({ ...asking(`<nobody-${index}@them>`, signed), 'AS2-From': 'Nobody' }), Buffer.from('x'));
  expect(statuses).toEqual(Array(MANY).fill(200));
  expect(most).toBe(1);
});

/** A layer around what is a part with its headers. */
async function encrypted({ headers, body }: { headers: Record<string, string>; body: Buffer }): Promise<{ headers: Record<string, string>; body: Buffer }> {
  async function* inside() {
    yield body;
  }
  const contentType = headers['Content-Type']!;
  const sealed = sealMessage([{ name: undefined, contentType, body: inside(), size: body.length }], {
    messageId: '<inside@them>',
    encrypt: { for: [us.pair.certificate], cipher: 'aes-128-cbc', transport: 'rsa-pkcs1' },
  });
  const pieces: Buffer[] = [];
  for await (const piece of sealed.body) pieces.push(piece);
  return { headers: { ...sealed.headers }, body: Buffer.concat(pieces) };
}
