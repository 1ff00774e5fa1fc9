/** What an administrator sees of a session: over the admin interface, and by SITE WHO. */
import type { Protocol } from '../audit/event';
import type { Session } from './session';

export interface SessionInfo {
  readonly id: string;
  readonly protocol: Protocol;
  readonly listener: string;
  readonly address: string;
  readonly user?: string;
  /** ISO 8601. */
  readonly since: string;
  readonly transfer?: { readonly command: string; readonly path: string; readonly bytes: number; readonly total?: number; readonly seconds: number };
}

export function infoOf({ id, protocol, listener, address, account, openedAt, transfer }: Session): SessionInfo {
  return {
    id,
    protocol,
    listener,
    address,
    user: account?.user,
    since: new Date(openedAt).toISOString(),
    transfer: transfer && {
      command: transfer.command,
      path: transfer.path,
      bytes: transfer.progress.bytes,
      total: transfer.progress.total,
      seconds: transfer.progress.seconds,
    },
  };
}
