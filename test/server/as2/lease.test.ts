/** Who of several does what is to be done once. */
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Lease } from '../../../server/as2/lease';
import { localStorage } from '../../../server/files/storage/local/storage';

const TIMES = { leaseMs: 200, renewMs: 40 };

it('one of several holds it; who comes next has it when it is given back, and when nobody renews it', async () => {
  const { notes } = localStorage({ kind: 'local', root: await mkdtemp(join(tmpdir(), 'ftps-lease-')), fsync: false });
  const holders: Lease[] = [];
  const changed = new Map<Lease, (isHeld: boolean) => void>();
  const make = () => {
    const lease: Lease = new Lease(notes, (isHeld) => changed.get(lease)?.(isHeld), TIMES);
    holders.push(lease);
    return lease;
  };
  const held = (lease: Lease) => new Promise<void>((resolve) => (lease.isHeld ? resolve() : changed.set(lease, (isHeld) => isHeld && resolve())));
  const [one, two, three] = [make(), make(), make()];
  await Promise.all([one.start(), two.start(), three.start()]);
  await Promise.race(holders.map(held));
  expect(holders.filter(({ isHeld }) => isHeld)).toHaveLength(1);
  const first = holders.find(({ isHeld }) => isHeld)!;
  await first.close();
  expect(first.isHeld).toBe(false);
  const others = holders.filter((lease) => lease !== first);
  await Promise.race(others.map(held));
  expect(others.filter(({ isHeld }) => isHeld)).toHaveLength(1);
  // As a process that was killed: it renews nothing any more.
  const second = others.find(({ isHeld }) => isHeld)!;
  clearInterval((second as unknown as { timer: NodeJS.Timeout }).timer);
  const last = others.find((lease) => lease !== second)!;
  await held(last);
  expect(second.isHeld).toBe(false);
  await last.close();
});
