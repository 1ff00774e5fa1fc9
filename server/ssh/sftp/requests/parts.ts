/** What requests are worked off with, and what those share that change something. */
import { MalformedPacket } from '../../wire';
import type { Handles } from '../handles';
import type { Names } from '../names';
import { asRefused } from '../protocol';
import type { Replies } from '../replies';
import type { SftpSession } from '../session';

export interface RequestParts {
  readonly session: SftpSession;
  readonly handles: Handles;
  readonly names: Names;
  readonly replies: Replies;
}

/** Does what changes something; a refusal is told to the audit, for `files` knows only what was done. */
export async function changed({ session, replies }: RequestParts, id: number, command: string, path: string, change: () => Promise<unknown>): Promise<unknown> {
  try {
    await change();
  } catch (error) {
    if (error instanceof MalformedPacket) throw error;
    const refused = asRefused(error);
    session.refused(command, path, refused.status);
    throw refused;
  }
  return replies.ok(id, 'Done.');
}
