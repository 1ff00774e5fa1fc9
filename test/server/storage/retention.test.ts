import { utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { testServer } from '../support/server';

const DAY_MS = 86_400_000;

describe('retention', () => {
  it('deletes what is older than the account’s days, at any depth, says so in the audit, and leaves the rest and other accounts alone', async () => {
    const server = await testServer({}, [
      { user: 'demo', home: '/demo' },
      { user: 'short', home: '/demo', retentionDays: 30 },
      { user: 'other', home: '/other' },
    ]);
    try {
      const [client, other] = [await server.client(), await server.client('explicit', {}, 'other')];
      await client.ensureDir('deep/inner');
      await client.cd('/');
      for (const path of ['old', 'young', 'deep/inner/old', 'deep/inner/young']) await client.uploadFrom(Readable.from('x'), path);
      await other.uploadFrom(Readable.from('x'), 'old');
      const past = new Date(Date.now() - 31 * DAY_MS);
      for (const path of ['demo/old', 'demo/deep/inner/old', 'other/old']) await utimes(join(server.files, path), past, past);
      const short = await server.client('explicit', {}, 'short');
      await server.audit.next('retention', ({ path }) => path === '/old');
      await server.audit.next('retention', ({ path }) => path === '/deep/inner/old');
      const inFolder = async (path: string) => (await short.list(path)).map(({ name }) => name).sort();
      expect(await inFolder('/')).toEqual(['deep', 'young']);
      expect(await inFolder('/deep/inner')).toEqual(['young']);
      expect((await other.list()).map(({ name }) => name)).toEqual(['old']);
      expect(server.audit.of('retention')).toHaveLength(2);
      expect(server.audit.of('retention')[0]).toMatchObject({ user: 'short', home: '/demo', bytes: 1 });
    } finally {
      await server.close();
    }
  });
});
