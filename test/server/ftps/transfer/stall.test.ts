import { truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RawClient, type TestServer, testServer } from '../../support/server';

let server: TestServer;
beforeAll(async () => {
  server = await testServer({ limits: { stallSeconds: 0.3 } });
});
afterAll(() => server.close());

async function begin(client: RawClient, command: string) {
  const port = await client.epsv();
  client.write(`${command}\r\n`);
  const data = await client.data(server, port);
  data.on('error', () => {});
  expect(await client.reply()).toMatch(/^150 /);
  return data;
}

it('ends an upload whose client sends nothing any more, keeps nothing of it, and the session goes on', async () => {
  const client = await RawClient.loggedIn(server);
  const data = await begin(client, 'STOR stalled');
  data.write('the first half');
  expect(await client.reply()).toMatch(/^426 The client sent no data for 0\.3 seconds/);
  expect(await client.send('SIZE stalled')).toMatch(/^550 /);
  client.close();
});

it('ends a download whose client takes nothing any more, and the session goes on', async () => {
  await writeFile(join(server.files, 'endless'), '');
  await truncate(join(server.files, 'endless'), 1_000_000_000);
  const client = await RawClient.loggedIn(server);
  const data = await begin(client, 'RETR endless');
  data.pause();
  expect(await client.reply()).toMatch(/^426 The client took no data for 0\.3 seconds/);
  expect(await client.send('NOOP')).toMatch(/^200 /);
  data.destroy();
  client.close();
});
