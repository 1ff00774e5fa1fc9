import { readdirSync, readFileSync } from 'node:fs';
import type { PasswordQuestion } from '../../../server/identity/hashing/checks';
import { HashPool } from '../../../server/identity/hashing/pool';
import { HashThreads } from '../../../server/identity/hashing/threads';
import { parseHash } from '../../../server/identity/password';
import { FairQueue } from '../../../server/limits/fair-queue';
import { someConfig } from '../support/passwords';
import { quickHash } from '../support/quick-hash';

describe('a fair queue', () => {
  const all = (queue: FairQueue<string>) => Array.from({ length: queue.size }, () => queue.take());

  it('lets lanes take turns, however much one of them holds', () => {
    const queue = new FairQueue<string>();
    for (const item of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) queue.push(item, { lane: item[0]!, isPreferred: false });
    expect(all(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
  });

  it('prefers some, and starves nobody', () => {
    const queue = new FairQueue<string>();
    for (const item of ['s1', 's2', 's3', 's4', 's5']) queue.push(item, { lane: item, isPreferred: false });
    for (const item of ['k1', 'k2', 'k3', 'k4', 'k5']) queue.push(item, { lane: item, isPreferred: true });
    expect(all(queue)).toEqual(['k1', 'k2', 'k3', 's1', 'k4', 'k5', 's2', 's3', 's4', 's5']);
  });

  it('drops the last of who brought most, and those who are preferred last of all', () => {
    const queue = new FairQueue<string>();
    for (const item of ['k1', 'k2', 'k3']) queue.push(item, { lane: 'k', isPreferred: true });
    for (const item of ['a1', 'b1', 'b2']) queue.push(item, { lane: item[0]!, isPreferred: false });
    expect([1, 2, 3, 4].map(() => queue.dropLongest())).toEqual(['b2', 'b1', 'a1', 'k3']);
    expect(all(queue)).toEqual(['k1', 'k2']);
  });
});

describe('hashing', () => {
  const question = (over: Partial<PasswordQuestion> = {}): PasswordQuestion => ({ password: 'x', phc: quickHash('x'), address: 'a', isKnown: false, ...over });

  /** Threads that answer when they are told to. */
  function slowThreads(most: number) {
    const running: { readonly password: string; finish(): void }[] = [];
    return {
      running,
      most,
      derive: (_hash: unknown, password: string) =>
        new Promise<Buffer>((resolve) => {
          const one = {
            password,
            finish() {
              running.splice(running.indexOf(one), 1);
              resolve(Buffer.alloc(32));
            },
          };
          running.push(one);
        }),
      close: async () => {},
    };
  }

  it('says right, wrong, and wrong for an unknown name even where the password belongs to the hash that stands in', async () => {
    const pool = new HashPool(someConfig());
    expect(await pool.check(question())).toBe('right');
    expect(await pool.check(question({ password: 'y' }))).toBe('wrong');
    expect(await pool.check(question({ isUnknown: true }))).toBe('wrong');
    expect(await pool.check(question({ phc: '$scrypt$ln=99,r=8,p=1$AAAA$AAAAAAAAAAAAAAAAAAAAAAAA' }))).toBe('wrong');
    await pool.close();
  });

  it('runs in threads of its own, which on Linux have a lower priority than the rest of the process', async () => {
    const threads = new HashThreads(1);
    const before = new Set(readdirSync('/proc/self/task'));
    await threads.derive(parseHash(quickHash('x'))!, 'x');
    const nice = (task: string) =>
      Number(
        readFileSync(`/proc/self/task/${task}/stat`, 'latin1')
          .replace(/^.*\) /, '')
          .split(' ')[16],
      );
    const own = nice(String(process.pid));
    expect(readdirSync('/proc/self/task').filter((task) => !before.has(task) && nice(task) === Math.min(19, own + 8)).length).toBeGreaterThanOrEqual(
      own >= 19 ? 0 : 1,
    );
    expect(nice(String(process.pid))).toBe(own);
    await threads.close();
  });

  it('replaces a thread that was lost', async () => {
    const threads = new HashThreads(1);
    const lost = threads.derive(parseHash(quickHash('x'))!, 'x');
    await threads.close();
    await expect(lost).rejects.toThrow('has ended');
    const hash = parseHash(quickHash('x'))!;
    expect(await threads.derive(hash, 'x')).toEqual(hash.key);
    await threads.close();
  });

  it('refuses what could not be answered in time, and of the one who brought most', async () => {
    const threads = slowThreads(1);
    // Two seconds for a hash of 0.2 are ten that wait.
    const pool = new HashPool(someConfig({ limits: { loginSeconds: 4 } }), { threads, now: () => 0 });
    const answers = new Map<string, string>();
    const ask = (password: string, address: string) => void pool.check(question({ password, address })).then((answer) => answers.set(password, answer));
    for (let count = 0; count < 12; count += 1) ask(`flood ${count}`, 'attacker');
    ask('one', 'partner');
    await new Promise(setImmediate);
    expect([...answers.keys()]).toEqual(['flood 11', 'flood 10']);
    for (let count = 0; count < 3; count += 1) {
      threads.running[0]!.finish();
      await new Promise(setImmediate);
    }
    expect(answers.get('one')).toBe('wrong');
    await pool.close();
    expect(answers.get('flood 9')).toBe('busy');
  });

  it('does not begin what has waited for too long', async () => {
    let time = 0;
    const threads = slowThreads(1);
    const pool = new HashPool(someConfig({ limits: { loginSeconds: 4 } }), { threads, now: () => time });
    const first = pool.check(question());
    const second = pool.check(question());
    time = 2_001;
    threads.running[0]!.finish();
    expect(await Promise.all([first, second])).toEqual(['wrong', 'busy']);
    await pool.close();
  });

  it('leaves half of its threads idle while transfers keep the server busy, and lets the others rest after each hash', async () => {
    let time = 0;
    const rests: number[] = [];
    let rested!: () => void;
    const sleep = (milliseconds: number) => {
      rests.push(milliseconds);
      return new Promise<void>((resolve) => {
        rested = resolve;
      });
    };
    const threads = slowThreads(4);
    const busyness = { isBusy: true };
    const pool = new HashPool(someConfig(), { threads, busyness, now: () => time, sleep });
    const answers = Array.from({ length: 6 }, () => pool.check(question()));
    expect(threads.running.length).toBe(2);
    time = 100;
    threads.running[0]!.finish();
    expect(await answers[0]).toBe('wrong'); // who waits for it doesn't wait for the rest
    expect([rests, threads.running.length]).toEqual([[200], 1]);
    busyness.isBusy = false;
    rested();
    await new Promise(setImmediate);
    expect(threads.running.length).toBe(4);
    while (threads.running.length > 0) {
      threads.running[0]!.finish();
      await new Promise(setImmediate);
    }
    expect(rests).toEqual([200]);
    expect(new Set(await Promise.all(answers))).toEqual(new Set(['wrong']));
    await pool.close();
  });
});
