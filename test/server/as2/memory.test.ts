/** What somebody who only knows the names of a partner has in memory here. */
import { Kept } from '../../../server/as2/receiving/kept';
import { incoming } from '../../../server/as2/restart/incoming';
import { KeptBodies } from '../../../server/as2/restart/kept-bodies';
import type { Notes, Stretches } from '../../../server/files/files';
import { Body } from '../../../server/http/body';
import { Pieces } from '../../../server/http/pieces';
import { heldBytes } from '../../support/garbage';

const MIB = 1024 * 1024;

const memory = () => heldBytes() / MIB;

async function* bytesOf(count: number): AsyncGenerator<Buffer> {
  const block = Buffer.alloc(65_536, 'x');
  for (let at = 0; at < count; at += 1) yield block.subarray(at % 65_536, (at % 65_536) + 1);
}

it('a message that comes byte by byte is kept as what it is', async () => {
  const kept = new Kept(MIB);
  for await (const _ of kept.watching(bytesOf(1_000)));
  const before = memory();
  for await (const _ of kept.watching(bytesOf(200_000)));
  expect(memory() - before).toBeLessThan(4);
  expect(kept.whole).toHaveLength(201_000);
});

it('a small body of HTTP that comes byte by byte is held as what it is', async () => {
  const held: unknown[] = [];
  const slow = (bytes: number) => ({
    into: (taker: { space(): Buffer; took(count: number): boolean }) => {
      for (let at = 0; at < bytes; at += 1) {
        taker.space()[0] = 97;
        taker.took(1);
      }
      held.push(taker);
      return new Promise<void>(() => {});
    },
  });
  const events = { begins: () => {}, turn: () => undefined, waits: () => {} };
  const bodies: Promise<Buffer>[] = [];
  const before = memory();
  for (let count = 0; count < 10; count += 1) bodies.push(new Body(slow(60_000) as never, { kind: 'length', bytes: 60_001 }, false, events).whole(65_536));
  await new Promise((resolve) => setImmediate(resolve));
  expect(memory() - before).toBeLessThan(6);
  expect([held.length, bodies.length]).toEqual([10, 10]);
});

it('what waits of a message that comes byte by byte is held as what it is', async () => {
  let isTaken = true;
  let leave!: () => void;
  const left = new Promise<void>((resolve) => {
    leave = resolve;
  });
  const slow = {
    flow: (taker: { space(): Buffer; took(count: number): boolean }) => {
      for (let sent = 0; isTaken; sent += 1) {
        taker.space()[0] = sent;
        isTaken = taker.took(1);
      }
      return left;
    },
    resume: () => {},
    letGo: async () => {},
  };
  const before = memory();
  const all = Array.from({ length: 5 }, () => {
    isTaken = true;
    const pieces = new Pieces(slow as never, { stallSeconds: 60, most: MIB, tooLong: () => new Error() });
    return pieces[Symbol.asyncIterator]().next();
  });
  const first = await Promise.all(all);
  const held = memory() - before;
  leave();
  await left;
  expect(held).toBeLessThan(4);
  expect(first[0]!.value).toBeDefined();
});

it('beginnings of messages that may go on later have a bound altogether, and leave nothing behind', async () => {
  const notes = { read: async () => undefined } as unknown as Notes;
  const bodies = new KeptBodies({ notes, stretches: {} as Stretches }, { fromBytes: 1, keptBytes: 1_000 * MIB, keepHours: 1 } as never);
  const begin = (id: number) =>
    incoming({
      bodies,
      headers: { etag: `"${id}"`, 'content-length': String(10 * MIB) },
      length: 10 * MIB,
      partner: { as2Id: 'Them', restart: { receive: true } },
      most: 100 * MIB,
      messageId: `<${id}@them>`,
    });
  const before = memory();
  const all = await Promise.all(Array.from({ length: 30 }, (_, id) => begin(id)));
  async function* beginning() {
    for (let sent = 0; sent < 3 * MIB; sent += 65_536) yield Buffer.alloc(65_536, 'x');
  }
  const reading = all.map((one) => one.whole(beginning())[Symbol.asyncIterator]());
  for (let piece = 0; piece < 48; piece += 1) for (const one of reading) await one.next();
  expect(memory() - before).toBeLessThan(45);
  for (const one of all) await one.ended('not');
  expect(bodies.takeEarly(32 * MIB)).toBe(true);
}, 30_000);
