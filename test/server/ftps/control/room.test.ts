/** How much room there is, and what a client hears where there is none. */
import { statfs } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { RawClient, type TestServer, testServer } from '../../support/server';

let server: TestServer;
beforeAll(async () => {
  server = await testServer({}, [
    { user: 'demo', home: '/demo', quota: { bytes: 1_000_000 } },
    { user: 'few', home: '/few', quota: { files: 1 } },
    { user: 'free', home: '/free' },
  ]);
});
afterAll(() => server.close());

it('tells what the quota leaves, before and after an upload, in any folder', async () => {
  const [raw, client] = [await RawClient.loggedIn(server), await server.client()];
  expect(await raw.send('AVBL')).toBe('213 1000000');
  await client.ensureDir('folder');
  await client.uploadFrom(Readable.from(Buffer.alloc(400_000)), 'one');
  expect(await raw.send('AVBL /folder')).toBe('213 600000');
  expect(await raw.send('AVBL folder/one')).toMatch(/^550 /);
  expect(await raw.send('AVBL nowhere')).toMatch(/^550 /);
  await expect(client.uploadFrom(Readable.from(Buffer.alloc(600_001)), 'two')).rejects.toMatchObject({ code: 552 });
  expect(await raw.send('AVBL')).toBe('213 600000');
  expect(await raw.send('SIZE folder/two')).toMatch(/^550 /);
  raw.close();
});

it('tells that nothing fits where no file may come, and then takes none: 552', async () => {
  const [raw, client] = [await RawClient.loggedIn(server, {}, 'few'), await server.client('explicit', {}, 'few')];
  expect((await raw.send('AVBL')).slice(0, 4)).toBe('213 ');
  await client.uploadFrom(Readable.from('x'), 'one');
  expect(await raw.send('AVBL')).toBe('213 0');
  await expect(client.uploadFrom(Readable.from('x'), 'two')).rejects.toMatchObject({ code: 552 });
  raw.close();
});

it('tells what is free on the disk where there is no quota', async () => {
  const raw = await RawClient.loggedIn(server, {}, 'free');
  const { bavail, bsize } = await statfs(server.files);
  const told = Number((await raw.send('AVBL')).slice(4));
  expect(Math.abs(told - bavail * bsize)).toBeLessThan(bavail * bsize * 0.5); // others write to the disk meanwhile
  raw.close();
});
