import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type MessageRecord, Records } from '../../../server/as2/records';
import { LocalNotes } from '../../../server/files/storage/local/notes';

it.each(['done', 'failed'] as const)('a record that was %s from the beginning goes when its time has come', async (state) => {
  const notes = new LocalNotes(mkdtempSync(join(tmpdir(), 'ftps-records-')));
  const records = new Records(notes, 30);
  const record = { direction: 'received', partner: 'Them', messageId: '<1@them>', at: '2026-01-01T00:00:00.000Z', state } as MessageRecord;
  expect(await records.create(record)).toBe(true);
  await records.sweep(Date.parse('2026-01-15T00:00:00Z'));
  expect(await records.read('received', 'Them', '<1@them>')).toMatchObject({ state });
  await records.sweep(Date.parse('2026-03-01T00:00:00Z'));
  expect(await notes.list('as2')).toEqual([]);
});
