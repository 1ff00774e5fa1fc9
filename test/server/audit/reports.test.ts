import { testServer } from '../support/server';

const HOUR = 3_600_000;

it('the days that the served certificate has left are said at the start and every hour', async () => {
  jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate', 'queueMicrotask', 'performance', 'hrtime', 'setTimeout', 'clearTimeout'] });
  try {
    const server = await testServer();
    const [loaded] = server.audit.of('certificate');
    expect(loaded).toMatchObject({ change: 'loaded', daysLeft: expect.any(Number) });
    jest.advanceTimersByTime(12 * HOUR);
    const served = server.audit.of('certificate').filter(({ change }) => change === 'served');
    expect(served).toHaveLength(12);
    expect(served.at(-1)!.daysLeft!).toBeCloseTo(loaded!.daysLeft! - 0.5, 1);
    await server.close();
  } finally {
    jest.useRealTimers();
  }
});
