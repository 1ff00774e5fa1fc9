/** Receipts that go by a request of their own, while partners are slow and strangers send in their names. */
import { once } from 'node:events';
import { mkdtempSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ReceiptQueue } from '../../../server/as2/receiving/receipt-queue';
import { type As2Config, type As2Partner, checkServerConfig } from '../../../server/config';
import { LocalNotes } from '../../../server/files/storage/local/notes';
import { AuditRecorder } from '../support/server';
import { PLAIN, party } from './served';

let settings: As2Config;
const servers: Server[] = [];
beforeAll(async () => {
  const { certificate } = await party('them');
  const partner = (as2Id: string) => ({ ...PLAIN, as2Id, certificates: [certificate], inbox: `/${as2Id}`, outbox: `/out-${as2Id}`, silentSeconds: 30 });
  settings = checkServerConfig({
    listeners: [{ mode: 'explicit', port: 0 }],
    tls: { certificates: [{ kind: 'file', certificate: '/server.pem', key: '/server.key' }] },
    storage: { kind: 'local', root: '/files' },
    identity: [{ kind: 'file', file: '/accounts.json' }],
    as2: {
      plainPort: 0,
      identity: { as2Id: 'Us', signing: { kind: 'file', certificate: '/a', key: '/b' } },
      partners: [partner('Slow'), partner('Quick')],
    },
  }).as2!;
});
afterAll(() => {
  for (const server of servers) server.closeAllConnections();
  for (const server of servers) server.close();
});

/** An endpoint for receipts: it answers so, or not at all. */
async function endpoint(status: number | undefined) {
  const got: string[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request
      .on('data', (piece) => (body += piece))
      .on('end', () => {
        got.push(body);
        if (status !== undefined) response.writeHead(status).end();
      });
  });
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { got, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

function queue() {
  const audit = new AuditRecorder();
  const notes = new LocalNotes(mkdtempSync(join(tmpdir(), 'ftps-receipts-')));
  const [slow, quick] = settings.partners as [As2Partner, As2Partner];
  return { audit, notes, slow, quick, receipts: new ReceiptQueue({ notes, audit, settings }, () => true) };
}
const receipt = (deliverTo: string, text: string) => ({ messageId: '<r@us>', headers: {}, body: Buffer.from(text).toString('base64'), deliverTo });

it('a partner that takes a receipt and never answers keeps those of others waiting neither at once nor later', async () => {
  const { receipts, slow, quick, notes, audit } = queue();
  const [mute, good] = [await endpoint(undefined), await endpoint(200)];
  for (const id of ['1', '2']) await receipts.add(slow, id, receipt(mute.url, id));
  receipts.poke();
  await receipts.add(quick, '3', receipt(good.url, 'for quick'));
  receipts.poke();
  await audit.next('as2-delivery', ({ partner, state }) => partner === 'Quick' && state === 'sent');
  // What another process left of the slow one's.
  for (const name of await notes.list('as2/receipts'))
    await notes.replace(`as2/receipts/${name}`, JSON.stringify({ ...JSON.parse((await notes.read(`as2/receipts/${name}`)) ?? ''), nextAt: 0 }));
  await receipts.round();
  await receipts.close();
  expect(good.got).toEqual(['for quick']);
});

it('a message that anybody may have sent neither takes the place of a receipt that waits, nor is receipted again and again', async () => {
  const { receipts, slow, audit } = queue();
  const failing = await endpoint(503);
  await receipts.add(slow, 'm', receipt(failing.url, 'taken'));
  await receipts.addUnproven(slow, 'm', receipt(failing.url, 'refused'));
  await receipts.addUnproven(slow, 'other', receipt(failing.url, 'refused other'));
  receipts.poke();
  await audit.next('as2-delivery', ({ messageId }) => messageId === 'other');
  expect(failing.got.sort()).toEqual(['refused other', 'taken']);
  expect(audit.of('as2-delivery').map(({ messageId, state }) => [messageId, state])).toEqual([
    ['m', 'waiting'],
    ['other', 'given-up'],
  ]);
  await receipts.close();
});

it('of messages that anybody may have sent, so many are receipted as wait for a partner at most', async () => {
  const { receipts, slow, notes } = queue();
  const mute = await endpoint(undefined);
  for (let count = 0; count < 40; count += 1) {
    await receipts.addUnproven(slow, String(count), receipt(mute.url, ''));
    receipts.poke();
  }
  expect((await notes.list('as2/receipts')).length).toBe(16);
  await receipts.add(slow, 'own', receipt(mute.url, ''));
  expect((await notes.list('as2/receipts')).length).toBe(17);
  await receipts.close();
});
