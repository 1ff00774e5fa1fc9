/** The path that a command's argument means for a session. */
import { virtualPath } from '../storage/virtual-path';
import type { Session } from './session';

/** Normalised and absolute; throws a StorageError where the argument can be no path. */
export function resolvePath(session: Session, argument: string): string {
  return virtualPath(session.cwd, argument);
}
