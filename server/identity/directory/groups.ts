/** The groups that a user is in, those within groups included. */
import { AndFilter, EqualityFilter, ExtensibleFilter, type Filter, OrFilter } from 'ldapts';
import { IN_CHAIN } from './active-directory';
import type { DirectoryConnection } from './connection';
import { plainDn } from './names';

/** Groups within groups are followed that deep; whoever nests deeper by mistake or in a circle costs no more than that. */
const DEEPEST = 16;
/** Members asked about in one search. */
const AT_ONCE = 50;

export interface GroupOptions {
  readonly base: string;
  readonly nested: boolean;
  readonly activeDirectory: boolean;
}

/** Their distinguished names, as `plainDn` writes them. */
export async function groupsOf(connection: DirectoryConnection, user: { dn: string; name: string }, options: GroupOptions): Promise<ReadonlySet<string>> {
  const find = async (filter: Filter) =>
    (await connection.search(options.base, { scope: 'sub', filter, attributes: ['1.1'], paged: { pageSize: 500 } })).map(({ dn }) => dn);
  if (options.activeDirectory) {
    const member = options.nested
      ? new ExtensibleFilter({ matchType: 'member', rule: IN_CHAIN, value: user.dn })
      : new EqualityFilter({ attribute: 'member', value: user.dn });
    return new Set((await find(new AndFilter({ filters: [new EqualityFilter({ attribute: 'objectClass', value: 'group' }), member] }))).map(plainDn));
  }
  const found = new Map<string, string>();
  let members = [user.dn];
  let filters: Filter[] = [...memberFilters(user.dn), new EqualityFilter({ attribute: 'memberUid', value: user.name })];
  for (let depth = 0; depth < DEEPEST && members.length > 0; depth += 1) {
    const next: string[] = [];
    for (let at = 0; at < filters.length; at += AT_ONCE)
      for (const dn of await find(new OrFilter({ filters: filters.slice(at, at + AT_ONCE) })))
        if (!found.has(plainDn(dn))) {
          found.set(plainDn(dn), dn);
          next.push(dn);
        }
    members = options.nested ? next : [];
    filters = members.flatMap(memberFilters);
  }
  return new Set(found.keys());
}

/** groupOfNames and groupOfUniqueNames (RFC 4519 sections 3.5 and 3.6). */
function memberFilters(dn: string): Filter[] {
  return [new EqualityFilter({ attribute: 'member', value: dn }), new EqualityFilter({ attribute: 'uniqueMember', value: dn })];
}
