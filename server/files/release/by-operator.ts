/** What an operator lets go from the quarantine is told of as an upload: the event goes into the outbox of the server beside, which hands it out. */
import { randomUUID } from 'node:crypto';
import type { ServerConfig } from '../../config';
import type { Quarantined } from '../storage/storage';
import { Outbox } from './outbox';
import { destinationsOf } from './releases';

/** `release` lets the file go; `file`: where programs of the operator find it then. Throws what it throws; nobody is told of anything then. */
export async function releaseAndTell(
  { afterRelease }: Pick<ServerConfig, 'afterRelease'>,
  { user, home, path, size, sha256, client, session }: Quarantined,
  file: string,
  release: () => Promise<void>,
): Promise<void> {
  const destinations = destinationsOf(afterRelease);
  if (destinations.length === 0) return release();
  // In the place of the first of the workers, which looks for what others have put there.
  const outbox = await Outbox.open(afterRelease.outbox, { index: 0, count: 1 }, afterRelease.outboxEvents);
  const { storage } = afterRelease;
  const detail = {
    id: randomUUID(),
    ...(storage === undefined ? {} : { storage }),
    user,
    path,
    file,
    bytes: size,
    ...(sha256 === undefined ? {} : { sha256 }),
    verdict: { result: 'unscanned' as const, detail: 'let go by an operator' },
    client,
    session,
  };
  const begun = await outbox.begin({ detail, home });
  await outbox.handOver([begun]);
  try {
    await release();
  } catch (error) {
    await outbox.remove(begun);
    throw error;
  }
  await outbox.due(begun, destinations);
}
