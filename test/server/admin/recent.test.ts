import { Dependencies } from '../../../server/admin/dependencies';
import { RecentLines } from '../../../server/admin/recent';
import { together } from '../../../server/admin/standing';

describe('the last lines of the audit', () => {
  const target = (write: (text: string) => Promise<void>) => ({ write, reopen: async () => {}, close: async () => {} });

  it('are those that were written, the newest first, and no more than asked for', async () => {
    const recent = new RecentLines();
    const written: string[] = [];
    const tapped = recent.beside(target(async (text) => void written.push(text)));
    await tapped.write('{"time":1}\n{"time":2}\n');
    await tapped.write('{"time":3}\n');
    expect(written).toHaveLength(2);
    expect(recent.last(2)).toEqual([{ time: 3 }, { time: 2 }]);
  });

  it('have none that could not be written', async () => {
    const recent = new RecentLines();
    const tapped = recent.beside(target(() => Promise.reject(new Error('full'))));
    await expect(tapped.write('{"time":1}\n')).rejects.toThrow('full');
    expect(recent.last(10)).toEqual([]);
  });

  it('are kept in bounded memory', async () => {
    const recent = new RecentLines();
    const tapped = recent.beside(target(async () => {}));
    for (let time = 0; time < 1_000; time += 1) await tapped.write(`{"time":${time},"text":"${'x'.repeat(1_000)}"}\n`);
    const kept = recent.last(1_000);
    expect(kept[0]).toMatchObject({ time: 999 });
    expect(kept.length).toBeGreaterThan(200);
    expect(kept.length).toBeLessThan(300);
  });
});

it('a dependency is as it was last heard of', () => {
  const dependencies = new Dependencies(['scanner', 'directory']);
  const passed: unknown[] = [];
  const audit = dependencies.hearing({ failed: false, record: (event) => void passed.push(event), flush: async () => {}, close: async () => {} });
  audit.record({ kind: 'health', part: 'directory', state: 'down', detail: 'nobody answers' });
  audit.record({ kind: 'health', part: 'ocsp', state: 'down' });
  audit.record({ kind: 'health', part: 'ocsp', state: 'up' });
  expect(dependencies.states).toEqual({ scanner: 'up', directory: 'down: nobody answers', ocsp: 'up' });
  expect(passed).toHaveLength(3);
});

it('several processes stand as one: what one says is down is down', () => {
  const standing = (waitedOn: number, scanner: string) => ({ passive: { open: 4, waitedOn }, certificates: [], dependencies: { scanner } });
  expect(together([standing(1, 'up'), standing(2, 'down: gone'), standing(0, 'up')])).toEqual({
    passive: { open: 12, waitedOn: 3 },
    certificates: [],
    dependencies: { scanner: 'down: gone' },
  });
});
