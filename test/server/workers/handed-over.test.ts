/** A worker that dies while a connection is on its way to it: real processes, and Node's own hand-off. */
import cluster, { type Worker } from 'node:cluster';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeWhatIsNotTaken } from '../../../server/workers/handed-over';

const folder = mkdtempSync(join(tmpdir(), 'ftps-handed-'));
const script = join(folder, 'worker.cjs');
writeFileSync(
  script,
  "require('node:net').createServer((socket) => socket.end('taken')).listen(0, '127.0.0.1');\nprocess.on('disconnect', () => process.exit());",
);

const forked: Worker[] = [];
afterAll(() => {
  for (const worker of forked) if (!worker.isDead()) worker.process.kill('SIGKILL');
  rmSync(folder, { recursive: true });
});

async function listening(): Promise<{ worker: Worker; port: number; sent: Promise<unknown> }> {
  cluster.schedulingPolicy = cluster.SCHED_RR;
  cluster.setupPrimary({ exec: script, execArgv: [] });
  const worker = cluster.fork();
  forked.push(worker);
  closeWhatIsNotTaken(worker);
  const [{ port }] = await once(worker, 'listening');
  const send = worker.process.send!;
  const sent = new Promise((resolve) => {
    worker.process.send = ((message: { act?: string }, ...rest: never[]) => {
      if (message.act === 'newconn') resolve(undefined);
      return (send as (...all: unknown[]) => boolean)(message, ...rest);
    }) as typeof send;
  });
  return { worker, port, sent };
}

it('a connection on its way to a worker that dies ends at once, and does not wait for a word that never comes', async () => {
  const { worker, port, sent } = await listening();
  worker.process.kill('SIGSTOP');
  const client = connect(port, '127.0.0.1').on('error', () => {});
  const closed = once(client, 'close');
  await sent;
  worker.process.kill('SIGKILL');
  await closed;
});

it('one that was taken is left to the worker', async () => {
  const { port } = await listening();
  const client = connect(port, '127.0.0.1').setEncoding('utf8');
  expect((await once(client, 'data'))[0]).toBe('taken');
  await once(client, 'close');
});
