/** What a worker tells the audit, written by the primary. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { verifyChain } from '../../../server/audit/chain';
import { openAudit, openTarget } from '../../../server/audit/sink';
import { AuditTarget } from '../../../server/workers/audit-target';
import { Link } from '../../../server/workers/link';
import type { PrimaryMethods } from '../../../server/workers/methods';
import { channel } from './channel';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ftps-worker-audit-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** A worker's audit, with the primary's into that file behind it. */
async function audits(destination: string) {
  let answers = 0;
  const [here, there] = channel((message) => {
    if ('answer' in (message as object)) answers += 1;
  });
  const failures: string[] = [];
  const primary = openAudit(await openTarget({ destination, sync: false }), (error) => failures.push(error.message));
  new Link(there, { writeAudit: (lines: string) => primary.write(lines) });
  const worker = openAudit(new AuditTarget(new Link<PrimaryMethods>(here, {})), () => {});
  return { worker, primary, failures, answers: () => answers };
}

const lines = async (path: string) => (await readFile(path, 'utf8')).split('\n').filter(Boolean);

it('is all there after a flush, in order, and few answers have woken the worker', async () => {
  const path = join(folder, 'audit.json');
  const { worker, primary, answers } = await audits(path);
  for (let count = 0; count < 400; count += 1) {
    worker.record({ kind: 'server', change: 'alive', detail: { sessions: count } });
    // As they are written in one go after a while: by themselves here.
    if (count % 2 === 1) await new Promise((resolve) => setTimeout(resolve));
  }
  await worker.flush();
  const written = await lines(path);
  expect(written).toHaveLength(400);
  expect((await verifyChain(written)).breaks).toEqual([]);
  expect(answers()).toBeGreaterThan(1);
  expect(answers()).toBeLessThan(20);
  const before = answers();
  await worker.flush(); // nothing is left
  expect(answers()).toBe(before);
  await primary.close();
});

it('is known to be lost where it can not be written', async () => {
  const { worker, primary, failures } = await audits('/dev/full');
  worker.record({ kind: 'server', change: 'alive' });
  await worker.flush();
  expect([worker.failed, primary.failed, failures.length]).toEqual([true, true, 1]);
  await primary.close();
});

it('waits for a disk that does not keep up', async () => {
  const [here, there] = channel();
  const waiting: (() => void)[] = [];
  let handedOver = 0;
  new Link(there, {
    writeAudit: (text: string) => {
      handedOver += text.length;
      return new Promise<void>((resolve) => waiting.push(resolve));
    },
  });
  const target = new AuditTarget(new Link<PrimaryMethods>(here, {}));
  const line = `${'x'.repeat(1_023)}\n`;
  let isOver = false;
  const all = (async () => {
    for (let count = 0; count < 1_000; count += 1) await target.write(line);
    isOver = true;
  })();
  while (handedOver <= 64 * 1024) await new Promise((resolve) => setImmediate(resolve));
  for (let turn = 0; turn < 10; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  expect([handedOver, isOver]).toEqual([65 * 1024, false]);
  while (!isOver) {
    for (const done of waiting.splice(0)) done();
    await new Promise((resolve) => setImmediate(resolve));
  }
  await all;
});
