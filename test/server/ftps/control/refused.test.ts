import { RawClient, type TestServer, testServer } from '../../support/server';

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.close());

it('closes before a login once too many commands were refused, in plain text and in TLS', async () => {
  for (const encrypted of [false, true]) {
    const client = await RawClient.explicit(server);
    await client.reply();
    if (encrypted) await client.upgrade(server);
    client.write('CWD /\r\n'.repeat(500));
    const replies = (await client.rest()).trimEnd().split('\r\n');
    expect(replies).toHaveLength(12);
    expect(replies.at(-1)).toBe('421 Too many commands were refused before a login.');
  }
});

it('of NUL in lines as well; an account may be refused as often as it likes', async () => {
  const stranger = await RawClient.explicit(server);
  await stranger.reply();
  stranger.write('US\0ER\r\n'.repeat(500));
  expect((await stranger.rest()).trimEnd().split('\r\n').at(-1)).toMatch(/^421 /);
  const client = await RawClient.loggedIn(server);
  for (let turn = 0; turn < 30; turn += 1) expect(await client.send('CWD none')).toMatch(/^550 /);
  expect(await client.send('NOOP')).toMatch(/^200 /);
  client.close();
});
