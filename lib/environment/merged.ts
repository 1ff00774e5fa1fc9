/** Settings of an environment, laid over those that environments share. */
import type { FtpsEnvironmentOptions } from '../environment-settings';
import { isBlock } from './kinds';

/** What stands on the right wins; what is undefined there does not. `server` and `tags` are merged key by key. */
export function merged<Left extends FtpsEnvironmentOptions, Right extends FtpsEnvironmentOptions>(left: Left, right: Right): Left & Right {
  const set = <Settings extends object>(settings: Settings | undefined) =>
    Object.fromEntries(Object.entries(settings ?? {}).filter(([, value]) => value !== undefined));
  const both = { ...set(left), ...set(right) } as unknown as Left & Right;
  const server = isBlock(left.server) && isBlock(right.server) ? { server: { ...set(left.server), ...set(right.server) } } : {};
  const tags = isBlock(left.tags) && isBlock(right.tags) ? { tags: { ...left.tags, ...right.tags } } : {};
  return { ...both, ...server, ...tags };
}
