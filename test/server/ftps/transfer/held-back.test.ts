/** A stall is noticed also after the server itself held a transfer back for longer than a client may. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { takeAll } from '../../../../server/files/intake';
import { Progress } from '../../../../server/files/progress';
import type { WriteHandle } from '../../../../server/files/storage/storage';
import { IncomingData } from '../../../../server/ftps/transfer/incoming';
import { Outgoing } from '../../../../server/ftps/transfer/outgoing';
import type { Pace } from '../../../../server/limits/bandwidth';
import { type TlsPair, tlsPair } from '../../support/tls-pair';

const STALL_SECONDS = 0.1;
/** Holds the first piece back for three times as long. */
const HELD_MS = 300;

let pair: TlsPair;
beforeEach(async () => {
  pair = await tlsPair();
});
afterEach(() => pair.close());

it('a download that a limit of bandwidth held back, and whose client then takes nothing', async () => {
  let held = 0;
  const pace: Pace = { piece: 64 * 1024 * 1024, before: () => sleep(held++ === 0 ? HELD_MS : 0) };
  pair.accepted.releaseSessions();
  pair.client.pause();
  const out = new Outgoing(pair.accepted.socket, new Progress(), STALL_SECONDS, pace);
  await expect(out.send(Buffer.alloc(64 * 1024 * 1024))).rejects.toMatchObject({ code: 'stalled' });
});

it('an upload that was slow to be stored, and whose client then sends nothing', async () => {
  let written = 0;
  const slow = { write: () => sleep(written++ === 0 ? HELD_MS : 0), stop() {} } as unknown as WriteHandle;
  const { accepted, end } = pair;
  const channel = { socket: accepted.socket, endedByCloseNotify: end.byCloseNotify, sayGoodbye() {} } as ConstructorParameters<typeof IncomingData>[0];
  const source = new IncomingData(channel, { stallSeconds: STALL_SECONDS, requireCloseNotify: false });
  const received = takeAll(source, slow, new Progress(), { hash: false });
  pair.client.write(randomBytes(512 * 1024));
  await expect(received).rejects.toMatchObject({ code: 'stalled' });
});
