/** The S3 backend against two S3 servers that have nothing in common. */
import type { Storage } from '../../../server/files/storage/storage';
import { storageConformance } from '../../server/files/storage/conformance';
import { openS3, type S3Kind, type S3Server, startS3 } from './servers';

describe.each<S3Kind>(['moto', 'versitygw'])('%s', (kind) => {
  let server: S3Server;
  const storages: Storage[] = [];
  beforeAll(async () => {
    server = await startS3(kind);
  });
  afterAll(async () => {
    for (const storage of storages) await storage.close();
    await server.stop();
  });

  it('tells no bound where there is no quota', async () => {
    const storage = openS3(server, await server.newBucket());
    storages.push(storage);
    expect(await (await storage.open({ user: 'demo', home: '/' })).available()).toBeUndefined();
  });

  for (const prefix of ['', 'files/'])
    storageConformance(prefix === '' ? kind : `${kind} below a prefix`, async (quota) => {
      const storage = openS3(server, await server.newBucket(), { prefix });
      storages.push(storage);
      return {
        volume: await storage.open({ user: 'demo', home: '/home', quota }),
        again: (account) => storage.open({ home: '/home', ...account }),
        quarantine: storage.quarantine,
        retained: storage.retained,
        notes: storage.notes,
        stretches: storage.stretches,
        prepared: storage.prepared,
      };
    });
});
