/** A body in stretches that several bring at once, and what is kept of bodies that nobody comes back for. */
import { randomBytes } from 'node:crypto';
import { KeptBodies } from '../../../server/as2/restart/kept-bodies';
import { OtherBytes, STRETCH, Stretched } from '../../../server/as2/restart/stretched';
import type { Notes, Stretches } from '../../../server/files/files';

class Memory implements Stretches, Notes {
  readonly all = new Map<string, Buffer>();
  modified = new Date();
  async create(name: string, bytes: Buffer | string): Promise<boolean> {
    if (this.all.has(name)) return false;
    this.all.set(name, Buffer.from(bytes as string));
    return true;
  }
  async replace(name: string, text: string): Promise<void> {
    this.all.set(name, Buffer.from(text));
  }
  read(name: string): Promise<never> {
    const bytes = this.all.get(name);
    return Promise.resolve((name.endsWith('.json') ? bytes?.toString() : bytes) as never);
  }
  async remove(name: string): Promise<void> {
    this.all.delete(name);
  }
  list(folder: string): Promise<never> {
    const names = [...this.all.keys()].filter((name) => name.startsWith(`${folder}/`)).map((name) => name.slice(folder.length + 1));
    const isNotes = folder.includes('-');
    return Promise.resolve(
      (isNotes ? names : names.map((name) => ({ name, bytes: this.all.get(`${folder}/${name}`)!.length, modified: this.modified }))) as never,
    );
  }
  async clear(folder: string): Promise<void> {
    for (const name of this.all.keys()) if (name.startsWith(`${folder}/`)) this.all.delete(name);
  }
  async room(): Promise<undefined> {
    return undefined;
  }
}

const whole = async (body: Stretched, from = 0) => {
  const pieces: Buffer[] = [];
  for await (const piece of body.read(from)) pieces.push(piece);
  return Buffer.concat(pieces);
};

describe('a body in stretches', () => {
  const content = randomBytes(2 * STRETCH + 1000);
  it('is read from any byte on, and has what comes before the first gap', async () => {
    const memory = new Memory();
    const body = new Stretched(memory, 'as2/kept/a', 'one');
    const writer = body.writer(0);
    for (let at = 0; at < content.length; at += 100_000) await writer.add(content.subarray(at, at + 100_000));
    await writer.end();
    expect(await body.size()).toBe(content.length);
    for (const from of [0, 1, STRETCH - 1, STRETCH, 2 * STRETCH + 999, content.length])
      expect((await whole(body, from)).equals(content.subarray(from))).toBe(true);
    await memory.remove([...memory.all.keys()].sort()[1]!);
    expect([await body.size(), (await whole(body)).length]).toEqual([STRETCH, STRETCH]);
    expect(await new Stretched(memory, 'as2/kept/a', 'two').size()).toBe(0);
  });

  it.each([
    ['shorter pieces', STRETCH + 10, 700_000],
    ['a longer one', 10, STRETCH],
  ])('brought by two, of whom one has stored %s already, is the same; other bytes are refused', async (_, first, others) => {
    const memory = new Memory();
    const body = new Stretched(memory, 'as2/kept/a', 'one');
    await body.create(0, content.subarray(0, first));
    for (let at = first; at < 2 * STRETCH; at += others) await body.create(at, content.subarray(at, Math.min(at + others, 2 * STRETCH)));
    const slow = body.writer(first);
    await slow.add(content.subarray(first));
    await slow.end();
    expect((await whole(body)).equals(content)).toBe(true);
    const wrong = body.writer(first);
    const spoilt = Buffer.from(content.subarray(first));
    spoilt[STRETCH - 5]! ^= 1;
    await expect(wrong.add(spoilt).then(() => wrong.end())).rejects.toThrow(OtherBytes);
    expect((await whole(body)).equals(content)).toBe(true);
  });
});

it('what nobody comes back for goes, what was answered is known for a day, and of one partner only so many are kept', async () => {
  const memory = new Memory();
  const bodies = new KeptBodies({ notes: memory, stretches: memory }, { fromBytes: 1, keptBytes: 1e9, keepHours: 24 });
  const name = (id: number, partner = 'Them') => ({ partner, id: `${id}` });
  for (let id = 0; id < 16; id += 1) await (await bodies.begin(name(id), 10, {}))!.create(0, Buffer.from('kept'));
  expect(await bodies.begin(name(16), 10, {})).toBeUndefined();
  expect(await bodies.begin(name(16, 'Others'), 10, {})).toBeDefined();
  expect(await bodies.begin(name(17, 'Others'), 1e9, {})).toBeUndefined();
  await bodies.taken(name(0), { total: 10, messageId: '<0@them>' });
  expect(await bodies.find(name(0))).toEqual({ open: undefined, over: { total: 10, messageId: '<0@them>' } });
  expect(await bodies.begin(name(16), 10, {})).toBeDefined();
  const now = Date.now();
  await bodies.sweep(now + 23 * 3_600_000);
  expect((await bodies.find(name(1))).open).toBeDefined();
  await bodies.sweep(now + 25 * 3_600_000);
  expect((await bodies.find(name(1))).open).toBeUndefined();
  await bodies.sweep(now + 72 * 3_600_000);
  expect([...memory.all.keys()]).toEqual([]);
});
