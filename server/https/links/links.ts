/**
 * Links: what somebody without an account may do with one file or one folder of an account. They are notes in the storage, so that every worker of every
 * instance knows them: a record by its id, a name beside its account by which the account's own are listed, and a note for each use, of which
 * each number is given once.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { LinksConfig, Permission } from '../../config';
import { FairTurns } from '../../files/fair-turns';
import type { Notes } from '../../files/files';
import type { PasswordChecks } from '../../identity/hashing/checks';
import type { Account, AccountRecord, Identity } from '../../identity/identity';
import { hashPassword } from '../../identity/password';
import type { Limits } from '../../limits/limits';
import { isGoodCookie, type LinkProof } from './proof';
import { digestOf, type LinkRecord, newAddress, readAddress, readRecord, writeAddress } from './record';

/** What a link lets somebody do, of what its account may do; and what a token needs that makes one. */
const NEEDS: Readonly<Record<LinkRecord['kind'], { readonly permission: Permission; readonly scope: 'read' | 'write' }>> = {
  download: { permission: 'read', scope: 'read' },
  drop: { permission: 'write', scope: 'write' },
};
/** Records of an account that are read side by side. */
const READS_AT_ONCE = 8;
/** What is over is kept that long, so that its account still sees what became of it. */
const KEPT_MS = 24 * 3_600_000;

export interface LinkParts {
  readonly notes: Notes;
  readonly identity: Pick<Identity, 'recordOf'>;
  readonly passwords: PasswordChecks;
  /** Absent: there are no links. */
  readonly config: LinksConfig | undefined;
}

export interface WantedLink {
  readonly kind: LinkRecord['kind'];
  readonly path: string;
  readonly title: string;
  readonly seconds?: number;
  readonly uses: number;
  readonly password?: string;
}

/** `account-unknown`, `token-unknown`: its rights can't be looked at again later, as those of a directory's accounts, and of tokens that others issue. */
export type NotMade = 'off' | 'account-unknown' | 'token-unknown' | 'certificate-needed' | 'too-many' | 'too-long' | 'too-many-uses';

export interface ListedLink {
  readonly record: LinkRecord;
  /** How often it was used. */
  readonly used: number;
}

export type LinkVerdict =
  | { readonly kind: 'accepted'; readonly record: LinkRecord; readonly account: Account; readonly source: string; readonly fingerprint: string }
  /** Who says a wrong secret or password may be guessing. */
  | { readonly kind: 'refused'; readonly reason: 'unknown-link' | 'link-password' }
  /** The secret is right, and the link is good for nothing any more; or a password is missing, which nobody guessed at. */
  | { readonly kind: 'over' | 'password-missing' }
  | { readonly kind: 'unavailable'; readonly reason: string };

/** One use of a link. */
export interface Use {
  /** It came to nothing: another one may have it. */
  giveBack(): Promise<void>;
}

export class Links {
  /** Passwords of links are hashed one after the other, by turns among accounts. */
  private readonly hashing = new FairTurns(1);

  constructor(
    private readonly parts: LinkParts,
    private readonly now: () => number = Date.now,
  ) {}

  /** What may be done there is for whoever calls to look at. The address is told this once. */
  async make(
    user: string,
    token: string | undefined,
    { kind, path, title, seconds, uses, password }: WantedLink,
    signal: AbortSignal,
  ): Promise<{ readonly record: LinkRecord; readonly address: string } | NotMade> {
    const { config, notes } = this.parts;
    if (!config) return 'off';
    if (seconds !== undefined && seconds > config.maxSeconds) return 'too-long';
    if (uses > config.mostUses) return 'too-many-uses';
    const known = await this.maker(user, token);
    if (typeof known === 'string') return known;
    await this.forgetOld(user);
    if (!(await this.hasRoom(user, config.perAccount))) return 'too-many';
    const address = newAddress();
    const [created, expires] = [this.now(), this.now() + (seconds ?? config.defaultSeconds) * 1000];
    const record: LinkRecord = {
      id: address.id,
      kind,
      path,
      title,
      user,
      fingerprint: known.fingerprint,
      ...(token === undefined ? {} : { token }),
      sha256: digestOf(address.secret),
      ...(password === undefined ? {} : { passwordHash: await this.hash(user, password, signal) }),
      created: new Date(created).toISOString(),
      expires: new Date(expires).toISOString(),
      uses,
    };
    // Found by its account before it is found by its address: none is good of which its account does not know.
    await notes.create(`${folderOf(user)}/${record.id}.${expires.toString(36)}`, '');
    await notes.create(recordName(record.id), JSON.stringify(record));
    return { record, address: writeAddress(address) };
  }

  /** Which links somebody can make here at all; none where that is not known at the moment. */
  async kindsFor({ user, permissions }: Account, token: string | undefined): Promise<LinkRecord['kind'][]> {
    const known = this.parts.config && (await this.maker(user, token).catch(() => undefined));
    if (typeof known !== 'object') return [];
    return (['download', 'drop'] as const).filter((kind) => permissions.includes(NEEDS[kind].permission));
  }

  /** The youngest first. */
  async list(user: string): Promise<ListedLink[]> {
    const { notes } = this.parts;
    await this.forgetOld(user);
    const ids = (await notes.list(folderOf(user))).map(idIn);
    const found: ListedLink[] = [];
    while (ids.length > 0)
      await Promise.all(
        ids.splice(0, READS_AT_ONCE).map(async (id) => {
          const record = readRecord(await notes.read(recordName(id)));
          if (record) found.push({ record, used: (await notes.list(usesOf(id))).length });
        }),
      );
    return found.sort((one, other) => (one.record.created < other.record.created ? 1 : -1));
  }

  async find(user: string, id: string): Promise<LinkRecord | undefined> {
    if (!/^[a-z2-7]{13}$/.test(id)) return undefined;
    const record = readRecord(await this.parts.notes.read(recordName(id)));
    return record?.user === user ? record : undefined;
  }

  /** Nobody comes in by it any more. */
  async revoke({ user, id, expires }: LinkRecord): Promise<void> {
    await this.forget(user, `${id}.${Date.parse(expires).toString(36)}`);
  }

  /** Looks at everything again that the link stands on: it lets nobody do what its account may not do now. */
  async check(text: string, { password, cookie }: LinkProof, who: { readonly address: string; readonly isKnown: boolean }): Promise<LinkVerdict> {
    const { config, notes, identity, passwords } = this.parts;
    const address = readAddress(text);
    if (!address || !config) return { kind: 'refused', reason: 'unknown-link' };
    let known: AccountRecord | 'none' | 'unknown';
    let record: LinkRecord | undefined;
    try {
      record = readRecord(await notes.read(recordName(address.id)));
      const isIt = timingSafeEqual(Buffer.from(digestOf(address.secret)), Buffer.from(record?.sha256 ?? digestOf('')));
      if (!record || !isIt) return { kind: 'refused', reason: 'unknown-link' };
      known = await identity.recordOf(record.user);
    } catch (error) {
      return { kind: 'unavailable', reason: (error as Error).message };
    }
    if (typeof known === 'string' || !this.stands(record, known)) return { kind: 'over' };
    const { permission } = NEEDS[record.kind];
    if (record.passwordHash !== undefined && !isGoodCookie(record, cookie, this.now())) {
      if (password === undefined) return { kind: 'password-missing' };
      const answer = await passwords.check({ password, phc: record.passwordHash, ...who });
      if (answer === 'busy') return { kind: 'unavailable', reason: 'more passwords wait to be checked than can be in time' };
      if (answer === 'wrong') return { kind: 'refused', reason: 'link-password' };
    }
    return {
      kind: 'accepted',
      record,
      account: { ...known.account, permissions: [permission] },
      source: known.source,
      fingerprint: `${record.sha256} ${known.fingerprint}`,
    };
  }

  /** Takes one of its uses; undefined where there is none left. */
  async use({ id, uses }: LinkRecord): Promise<Use | undefined> {
    const { notes } = this.parts;
    const taken = new Set(await notes.list(usesOf(id)));
    for (let number = 0; number < uses; number += 1) {
      const name = String(number);
      if (!taken.has(name) && (await notes.create(`${usesOf(id)}/${name}`, ''))) return { giveBack: () => notes.remove(`${usesOf(id)}/${name}`) };
    }
    return undefined;
  }

  async used({ id }: LinkRecord): Promise<number> {
    return (await this.parts.notes.list(usesOf(id))).length;
  }

  /** The account as it stands behind a link, or why it makes none. */
  private async maker(user: string, token: string | undefined): Promise<AccountRecord | NotMade> {
    const known = await this.parts.identity.recordOf(user);
    if (typeof known === 'string') return 'account-unknown';
    if (token !== undefined && !known.tokens.some(({ id }) => id === token)) return 'token-unknown';
    return known.account.clientCertificate === 'required' ? 'certificate-needed' : known;
  }

  private stands({ kind, path, fingerprint, token, expires }: LinkRecord, known: AccountRecord): boolean {
    const { account } = known;
    const { permission, scope } = NEEDS[kind];
    if (Date.parse(expires) <= this.now() || known.fingerprint !== fingerprint || !account.enabled) return false;
    if (account.clientCertificate === 'required' || !account.permissions.includes(permission)) return false;
    if (token === undefined) return true;
    const by = known.tokens.find(({ id }) => id === token);
    if (!by?.scopes.includes(scope) || (by.expires !== undefined && Date.parse(by.expires) <= this.now())) return false;
    return by.folder === '/' || path === by.folder || path.startsWith(`${by.folder}/`);
  }

  private async hash(user: string, password: string, signal: AbortSignal): Promise<string> {
    const giveBack = await this.hashing.take(user, signal);
    try {
      return await hashPassword(password);
    } finally {
      giveBack();
    }
  }

  private async forgetOld(user: string): Promise<void> {
    const before = this.now() - KEPT_MS;
    for (const name of await this.parts.notes.list(folderOf(user))) if (endIn(name) < before) await this.forget(user, name);
  }

  /** Those that are over make room, the oldest first. */
  private async hasRoom(user: string, most: number): Promise<boolean> {
    const names = await this.parts.notes.list(folderOf(user));
    const over = names.filter((name) => endIn(name) <= this.now()).sort((one, other) => endIn(one) - endIn(other));
    for (const name of over.slice(0, names.length + 1 - most)) await this.forget(user, name);
    return names.length - over.length < most;
  }

  /** The record first: whatever fails then, the link is dead. */
  private async forget(user: string, name: string): Promise<void> {
    const { notes } = this.parts;
    const id = idIn(name);
    await notes.remove(recordName(id));
    await notes.clear(usesOf(id));
    await notes.remove(`${folderOf(user)}/${name}`);
  }
}

const recordName = (id: string) => `links/${id}`;
const usesOf = (id: string) => `uses/${id}`;
const idIn = (name: string) => name.split('.', 1)[0]!;
/** When it is over, in the name by which its account knows it. Milliseconds since 1970. */
const endIn = (name: string) => Number.parseInt(name.split('.')[1] ?? '', 36);

/** Names of accounts may have characters that names of notes may not. */
function folderOf(user: string): string {
  return `of/${createHash('sha256').update(user).digest('hex').slice(0, 40)}`;
}

/** What is asked of `Limits` for a link: failures are held against it and the address, never against its account, which anybody who has a link could lock out. */
export function loginOf(text: string): Parameters<Limits['beginLogin']>[1] {
  return `link ${readAddress(text)?.id ?? ''}`.trim();
}
