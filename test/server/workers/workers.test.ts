/** What the primary shares between workers, without processes: ports, limits, and the calls between them. */
import { checkServerConfig } from '../../../server/config';
import { LocalLimits } from '../../../server/limits/local-limits';
import { HeldLimits } from '../../../server/workers/held-limits';
import { Link } from '../../../server/workers/link';
import { splitPorts, workerCount } from '../../../server/workers/primary';
import { TouchedFolders } from '../../../server/workers/touched-folders';
import { channel } from './channel';

const config = (workers: number | 'auto', ports = '50000-50015') =>
  checkServerConfig({
    listeners: [{ mode: 'explicit', port: 21 }],
    passive: { ports },
    workers,
    tls: { certificates: [{ kind: 'file', certificate: 'c', key: 'k' }] },
    storage: { kind: 'local', root: '/srv' },
    identity: [{ kind: 'file', file: 'a' }],
    limits: { sessionsPerAddress: 3 },
  });

describe('passive ports', () => {
  it('go to the workers in slices that differ by one at most, each to one', () => {
    const ports = Array.from({ length: 9 }, (_, index) => 8192 + index);
    const slices = splitPorts(ports, 4);
    expect(slices.flat()).toEqual(ports);
    expect(slices.map(({ length }) => length).sort()).toEqual([2, 2, 2, 3]);
  });

  it('are never fewer than the workers', () => {
    expect(workerCount(config(16, '8192-8200'))).toBe(9);
    expect(workerCount(config(2))).toBe(2);
    expect(workerCount(config('auto'))).toBeGreaterThanOrEqual(1);
  });

  it('need a number of workers that can be', () => {
    expect(() => config(0)).toThrow('workers: 0: expected 1 process or more, or `auto`');
  });
});

describe('limits', () => {
  const limits = () => new LocalLimits(config(2).limits);

  it('count over all workers', async () => {
    const shared = limits();
    const [one, other] = [new HeldLimits(shared), new HeldLimits(shared)];
    await one.admitConnection('192.0.2.1');
    await one.admitConnection('192.0.2.1');
    await other.admitConnection('192.0.2.1');
    expect(await other.admitConnection('192.0.2.1')).toBe('too-many-sessions-for-address');
  });

  it('are given back when a worker dies, and only what it held', async () => {
    const shared = limits();
    const [dead, alive] = [new HeldLimits(shared), new HeldLimits(shared)];
    await dead.admitConnection('192.0.2.1');
    await dead.admitConnection('192.0.2.1');
    dead.releaseConnection('192.0.2.1', 'fruitless');
    await alive.admitConnection('192.0.2.1');
    await dead.admitAccount('ann', 1);
    await dead.beginLogin('192.0.2.1', 'ann');
    dead.releaseAll();
    for (let count = 0; count < 10; count += 1) expect(await alive.beginLogin('192.0.2.1', 'ann')).toBe('stranger');
    expect(await alive.admitAccount('ann', 1)).toBe(true);
    expect(await alive.admitConnection('192.0.2.1')).toBeUndefined();
    expect(await alive.admitConnection('192.0.2.1')).toBeUndefined();
    expect(await alive.admitConnection('192.0.2.1')).toBe('too-many-sessions-for-address');
  });
});

describe('a call to the other process', () => {
  type Sums = { add(a: number, b: number): Promise<number>; fail(): Promise<void>; never(): Promise<void> };
  const sums = {
    add: async (a: number, b: number) => a + b,
    fail: async () => {
      throw new Error('no such port');
    },
    never: () => new Promise<void>(() => {}),
  };

  it('is answered, each with its own answer', async () => {
    const [here, there] = channel();
    new Link(there, sums);
    const link = new Link<Sums>(here, {});
    expect(await Promise.all([link.call('add', 1, 2), link.call('add', 3, 4)])).toEqual([3, 7]);
  });

  it('fails with the words of the other side', async () => {
    const [here, there] = channel();
    new Link(there, sums);
    await expect(new Link<Sums>(here, {}).call('fail')).rejects.toThrow('no such port');
  });

  it('tells without an answer, in the order of the calls', async () => {
    const [here, there] = channel();
    const heard: unknown[] = [];
    const answers: unknown[] = [];
    new Link(there, { note: (what: string) => heard.push(what), ...sums });
    here.on('message', (message) => answers.push(message));
    const link = new Link<Sums & { note(what: string): void }>(here, {});
    link.tell('note', 'first');
    link.tell('fail');
    expect(await link.call('add', 1, 2)).toBe(3);
    expect(heard).toEqual(['first']);
    expect(answers).toHaveLength(1);
  });

  it('fails when the other side dies', async () => {
    const [here, there] = channel();
    new Link(there, sums);
    const link = new Link<Sums>(here, {});
    const call = link.call('never');
    link.lost();
    await expect(call).rejects.toThrow('gone');
  });
});

describe('folders that were touched', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  it('are told once for many files, soon, and before whatever counts', () => {
    const told: string[] = [];
    const touched = new TouchedFolders((folder) => told.push(folder));
    for (const folder of ['in', 'out', 'in', 'in']) touched.add(folder);
    expect(told).toEqual([]);
    jest.advanceTimersByTime(20);
    expect(told).toEqual(['in', 'out']);
    touched.add('in');
    touched.tell();
    expect(told).toEqual(['in', 'out', 'in']);
    jest.advanceTimersByTime(100);
    expect(told).toHaveLength(3);
  });
});
