/** A client that leaves while its login is decided gives back what it held, and nothing twice. */
import { LocalLimits } from '../../../server/limits/local-limits';
import { testServer } from '../support/server';

afterEach(() => jest.restoreAllMocks());

it('is counted as one that was served where its login succeeded, as when limits are kept by another process', async () => {
  const { loginSucceeded } = LocalLimits.prototype;
  const released = jest.spyOn(LocalLimits.prototype, 'releaseConnection');
  let decide!: () => void;
  const asked = new Promise<void>((resolve) => {
    jest.spyOn(LocalLimits.prototype, 'loginSucceeded').mockImplementation(async function (this: LocalLimits, ...args) {
      const succeeded = await loginSucceeded.apply(this, args);
      resolve();
      await new Promise<void>((go) => {
        decide = go;
      });
      return succeeded;
    });
  });
  const server = await testServer();
  try {
    void server.client().catch(() => {});
    await asked;
    for (const session of server.server.sessions.all()) void session.dismiss('kicked', 'Goodbye.');
    await server.audit.next('connection-closed');
    decide();
    await new Promise((resolve) => setImmediate(resolve));
    expect(released.mock.calls).toEqual([['127.0.0.1', 'served']]);
  } finally {
    await server.close();
  }
});
