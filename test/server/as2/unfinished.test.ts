/** A message whose delivery a crash has cut, and that nobody sends again. */
import { randomUUID } from 'node:crypto';
import { existsSync, lstatSync, mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MessageRecord, Records } from '../../../server/as2/records';
import { LocalNotes } from '../../../server/files/storage/local/notes';
import { as2Served, asking, PLAIN, party, send } from './served';

const HOURS = 3_600_000;

it('comes to an end: what waited unseen is gone, what has appeared stays and is told, and its record goes in its time', async () => {
  const root = mkdtempSync(join(tmpdir(), 'ftps-unfinished-'));
  const waiting = join(root, '.ftps-staging/prepared', randomUUID());
  mkdirSync(join(waiting, '..'), { recursive: true });
  writeFileSync(waiting, 'never shown');
  mkdirSync(join(root, 'inbox'));
  writeFileSync(join(root, 'inbox/one.edi'), 'one');
  const notes = new LocalNotes(root);
  const records = new Records(notes, 365);
  const at = new Date(Date.now() - 7 * HOURS).toISOString();
  const facts = { direction: 'received', partner: 'Them', own: 'Us', account: 'demo', layers: [], disposition: 'processed', session: '', address: '' } as const;
  const one = { index: 0, name: 'one.edi', path: '/inbox/one.edi', bytes: 3, sha256: 'a' };
  const two = { index: 1, name: 'two.edi', path: '/inbox/two.edi', bytes: 11, sha256: 'b' };
  const left: MessageRecord = {
    ...facts,
    messageId: '<left@them>',
    at,
    state: 'delivering',
    owner: { host: 'gone', pid: 1 },
    attempt: randomUUID(),
    payloads: [one, { ...two, prepared: `${waiting.slice(-36)}.${lstatSync(waiting, { bigint: true }).ctimeNs}` }],
  };
  const young: MessageRecord = { ...facts, messageId: '<young@them>', at: new Date().toISOString(), state: 'partial', payloads: [one] };
  for (const record of [left, young]) expect(await records.create(record)).toBe(true);
  // As old as the record.
  for (const key of await notes.list('as2/open')) {
    const record = JSON.parse((await notes.read(`as2/messages/${key.slice(0, 2)}/${key}.json`))!) as MessageRecord;
    await notes.replace(`as2/open/${key}`, record.at);
  }
  const server = await as2Served(await party('us'), { partners: [{ ...PLAIN, as2Id: 'Them' }] }, { storage: { kind: 'local', root, fsync: false } });
  try {
    expect(await server.audit.next('as2-delivery')).toMatchObject({
      what: 'received message',
      state: 'given-up',
      outcome: 'failure',
      messageId: '<left@them>',
      partner: 'Them',
      user: 'demo',
      detail: 'its delivery was cut, nobody has sent it again, and 1 of its payloads is in the inbox',
      payloads: [{ name: 'one.edi', bytes: 3 }],
    });
    expect(existsSync(waiting)).toBe(false);
    expect(await readdir(join(root, 'inbox'))).toEqual(['one.edi']);
    expect(await records.read('received', 'Them', '<left@them>')).toMatchObject({ state: 'partial', payloads: [{ path: '/inbox/one.edi' }] });
    expect(await records.read('received', 'Them', '<young@them>')).toEqual(young);
    expect(await notes.list('as2/open')).toHaveLength(1);
    // Who comes after all gets what is missing, once.
    const part = (name: string) => `--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename="${name}"\r\n\r\n${name}\r\n`;
    const headers = { ...asking('<left@them>'), 'Content-Type': 'multipart/related; boundary=b; type="text/plain"' };
    expect((await send(server.as2Port, headers, `${part('one.edi')}${part('two.edi')}--b--\r\n`)).status).toBe(200);
    expect((await readdir(join(root, 'inbox'))).sort()).toEqual(['one.edi', 'two.edi']);
    await records.sweep(Date.now() + 400 * 24 * HOURS);
    expect(await records.read('received', 'Them', '<left@them>')).toBeUndefined();
  } finally {
    await server.close();
  }
});
