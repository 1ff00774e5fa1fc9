import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalNotes } from '../../../server/files/storage/local/notes';
import { Links } from '../../../server/https/links/links';
import type { AccountRecord } from '../../../server/identity/identity';

it('a link whose time is over is listed for a day, and takes no place of another', async () => {
  let now = Date.parse('2026-01-01T00:00:00Z');
  const record = { account: { user: 'ann', enabled: true, permissions: ['read'] }, source: 'file', fingerprint: 'f', tokens: [] } as unknown as AccountRecord;
  const config = { defaultSeconds: 60, maxSeconds: 600, mostUses: 5, perAccount: 3 };
  const links = new Links(
    { notes: new LocalNotes(mkdtempSync(join(tmpdir(), 'ftps-links-'))), identity: { recordOf: async () => record }, passwords: undefined as never, config },
    () => now,
  );
  const make = async (title: string, seconds: number) => {
    const made = await links.make('ann', undefined, { kind: 'download', path: '/file', title, uses: 1, seconds }, new AbortController().signal);
    return typeof made === 'string' ? made : 'made';
  };
  const titles = async () => (await links.list('ann')).map(({ record: { title } }) => title).sort();
  expect([await make('long', 600), await make('short', 60), await make('middle', 120), await make('more', 60)]).toEqual(['made', 'made', 'made', 'too-many']);
  now += 61_000;
  expect(await titles()).toEqual(['long', 'middle', 'short']);
  expect([await make('next', 300), await make('more', 60)]).toEqual(['made', 'too-many']);
  expect(await titles()).toEqual(['long', 'middle', 'next']);
});
