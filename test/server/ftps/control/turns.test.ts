import { connect } from 'node:net';
import { RawClient, type TestServer, testServer } from '../../support/server';

const COMMANDS = 10_000;

let server: TestServer;
beforeAll(async () => {
  server = await testServer();
});
afterAll(() => server.close());

it('a packet of thousands of commands lets other sessions have their turns', async () => {
  const other = await RawClient.loggedIn(server);
  const greedy = connect(server.explicit, '127.0.0.1');
  let bytes = 0;
  let whole!: () => void;
  const over = new Promise<void>((resolve) => {
    whole = resolve;
  });
  greedy.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (chunk.includes('221 ')) whole();
  });
  greedy.write(`${'HELP NOOP\r\n'.repeat(COMMANDS)}QUIT\r\n`);
  let answered = 0;
  let done = false;
  void over.then(() => {
    done = true;
  });
  while (!done) {
    expect(await other.send('NOOP')).toMatch(/^200 /);
    answered += 1;
  }
  // Of every 64 KiB that are read at once, six thousand commands, the other would have one turn.
  expect(answered).toBeGreaterThan(20);
  expect(bytes).toBeGreaterThan(COMMANDS * '214 Syntax: NOOP\r\n'.length);
  greedy.destroy();
  other.close();
});
