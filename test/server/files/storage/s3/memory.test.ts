import { setMaxListeners } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { Memory, SLAB } from '../../../../../server/files/storage/s3/memory';

const never = new AbortController().signal;
setMaxListeners(0, never); // that of a hundred uploads
const BUDGET = 64;
const PART = 5;

/** An upload that fills parts and sends each, as `S3Upload` does. */
async function upload(memory: Memory, parts: number, fill: () => Promise<unknown>, seen: (held: number) => void): Promise<void> {
  const leave = memory.enter();
  const taker = { filled: 0 };
  for (let part = 0; part < parts; part += 1) {
    const slabs = [memory.own()];
    while (slabs.length < PART) {
      await fill();
      taker.filled = slabs.length * SLAB;
      slabs.push(await memory.take(taker, never));
      seen(memory.held);
    }
    taker.filled = 0;
    memory.fly(taker, PART);
    await setImmediate();
    memory.giveBack(slabs);
    memory.land(PART);
  }
  leave();
}

describe('memory of transfers', () => {
  it('stays near its budget when a hundred uploads fill their parts side by side, and all come to an end', async () => {
    const memory = new Memory(BUDGET * SLAB, 8 * SLAB);
    let most = 0;
    await Promise.all(
      Array.from({ length: 100 }, () =>
        upload(memory, 4, setImmediate, (held) => {
          most = Math.max(most, held);
        }),
      ),
    );
    expect(most).toBeLessThanOrEqual(100 + BUDGET / 4 + 2 * PART); // a slab of its own for each, and what makes them come to an end
    expect(memory.held).toBe(0);
  });

  it('lets others go on beside uploads whose clients send nothing any more', async () => {
    const memory = new Memory(BUDGET * SLAB, 8 * SLAB);
    const held = await Promise.all(Array.from({ length: BUDGET + 20 }, () => memory.own()));
    const stuck = { filled: 4 * SLAB };
    held.push(await memory.take(stuck, never)); // and never sends its part
    await upload(memory, 3, setImmediate, () => {});
    memory.giveBack(held);
    expect(memory.held).toBe(0);
  });

  it('ends the wait of an upload that is given up', async () => {
    const memory = new Memory(SLAB, 8 * SLAB);
    const first = await memory.take({ filled: 0 }, never);
    const favourite = await memory.take({ filled: 1 }, never);
    const stop = new AbortController();
    const waiting = memory.take({ filled: 0 }, stop.signal);
    stop.abort(new Error('given up'));
    await expect(waiting).rejects.toThrow('given up');
    memory.giveBack([first, favourite]);
    expect(memory.held).toBe(0);
  });

  it('lends what is read ahead only within the budget, and not while somebody waits', () => {
    const memory = new Memory(4 * SLAB, 8 * SLAB);
    const some = memory.spare(3)!;
    expect(memory.spare(2)).toBeUndefined();
    memory.giveBack(some);
    expect(memory.spare(4)).toHaveLength(4);
  });
});
