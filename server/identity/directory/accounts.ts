/** Accounts of a directory: OpenLDAP, Active Directory and their kin. The directory is asked at every login unless remembering is asked for. */
import type { Audit } from '../../audit/event';
import type { DirectorySettings } from '../../config';
import { Authorities } from '../authorities';
import type { Account, Credentials, Identity, KeyCredentials, RefusalReason, Verdict, VouchedCredentials } from '../identity';
import { afterPassword, checkCertificate, checkKey, checkVouched, hasKey } from '../password-account';
import { RecentTimes } from '../recent-times';
import { Remembered } from '../remembered';
import * as activeDirectory from './active-directory';
import { DirectoryConnection, type DirectoryEntry } from './connection';
import { DirectoryDown } from './down';
import { groupsOf } from './groups';
import { keysIn } from './keys';
import * as ldap from './ldap';
import { userOf } from './logins';
import { dnValue, fill, filterOf, plainDn } from './names';
import { Pool } from './pool';
import { accountOf, attributesOf } from './rules';
import { Servers } from './servers';
import { servicePassword } from './service-password';
import { connectSecurely } from './transport';

const source = 'directory';

/** Opens the source. Throws an Error that names the setting where a filter or file can't be used; a directory that is down is no error yet. */
export async function directoryAccounts(settings: DirectorySettings, key: string, audit: Audit): Promise<Identity> {
  checkFilter(settings, key);
  const authorities = await Authorities.open(settings.ca, key, 'authorities of the directory', audit);
  return new DirectoryAccounts(settings, authorities, audit);
}

type Found = { readonly entry: DirectoryEntry } | { readonly reason: RefusalReason };

class DirectoryAccounts implements Identity {
  private readonly isActiveDirectory: boolean;
  private readonly filter: string;
  private readonly nameAttribute: string;
  private readonly attributes: { readonly text: string[]; readonly binary: string[] };
  private readonly servers: Servers<DirectoryConnection>;
  /** Connections bound as the service account. */
  private readonly searchers: Pool<DirectoryConnection>;
  /** Connections that users bind on. */
  private readonly binders: Pool<DirectoryConnection>;
  /** An unknown user is refused after as long as a bind takes. */
  private readonly times = new RecentTimes();
  private readonly remembered: Remembered<Account>;

  constructor(
    private readonly settings: DirectorySettings,
    private readonly authorities: Authorities,
    audit: Audit,
  ) {
    const { flavour, users, rules, connections, answerSeconds } = settings;
    this.isActiveDirectory = flavour === 'active-directory';
    this.filter = users.filter ?? (this.isActiveDirectory ? activeDirectory.USER_FILTER : ldap.USER_FILTER);
    this.nameAttribute = users.nameAttribute ?? (this.isActiveDirectory ? 'sAMAccountName' : 'uid');
    const { text, binary } = attributesOf(rules);
    const state = this.isActiveDirectory ? activeDirectory.STATE_ATTRIBUTES : ldap.STATE_ATTRIBUTES;
    const keys = users.keyAttribute === undefined ? [] : [users.keyAttribute];
    const times = this.isActiveDirectory ? [activeDirectory.HOURS_ATTRIBUTE] : [];
    this.attributes = { text: [this.nameAttribute, ...state, ...keys, ...text], binary: [...times, ...binary] };
    this.servers = new Servers(
      settings.servers,
      settings,
      async (url) => new DirectoryConnection(url, await connectSecurely(url, { ca: authorities.current, seconds: settings.connectSeconds }), answerSeconds),
      (state, detail) => audit.record({ kind: 'health', part: 'directory', state, detail }),
    );
    this.searchers = new Pool(() => this.servers.open((connection) => this.bindService(connection)), connections, answerSeconds);
    this.binders = new Pool(() => this.servers.open(), connections, answerSeconds);
    this.remembered = new Remembered(settings.cacheSeconds);
    // A server is trusted by the authorities of now, not by those of when it was connected to.
    authorities.onChange = () => {
      for (const pool of [this.searchers, this.binders]) void pool.renew();
    };
  }

  nameOf(login: string): string {
    return (userOf(login, this.settings.realms) ?? login).toLowerCase();
  }

  authenticate(credentials: Credentials): Promise<Verdict> {
    return this.answer(async () => {
      const { user: login, password = '' } = credentials;
      const known = this.remembered.find(login, password);
      if (known) return afterPassword(known, credentials, source);
      const user = userOf(login, this.settings.realms);
      // Without a password a directory says yes and means nobody (RFC 4513 section 5.1.2).
      if (user === undefined || password === '') return this.refuseSlowly(user === undefined ? 'unknown-user' : 'wrong-password');
      const account = await (this.settings.bind.kind === 'service' ? this.byService(login, user, password) : this.directly(login, user, password));
      if (typeof account === 'string') return { kind: 'refused', reason: account, source };
      const verdict = afterPassword(account, credentials, source);
      if (verdict.kind === 'accepted') this.remembered.keep(login, password, account);
      return verdict;
    });
  }

  authenticateByCertificate({ user: login, certificate }: Parameters<Identity['authenticateByCertificate']>[0]): Promise<Verdict> {
    return this.answer(async () => {
      const refused: Verdict = { kind: 'refused', reason: 'unknown-user' };
      if (!this.settings.rules.some(({ account }) => account.clientCertificate === 'instead-of-password')) return refused;
      const user = userOf(login, this.settings.realms);
      if (user === undefined) return refused;
      const account = await this.withoutPassword(login, user);
      return typeof account === 'string' ? { kind: 'refused', reason: account, source } : checkCertificate(account, certificate, source);
    });
  }

  /** What is dear, groups and rules, is asked for only when the key is one of the user's: a stranger learns nothing by time. */
  authenticateByKey({ user: login, key, certificate }: KeyCredentials): Promise<Verdict> {
    return this.answer(async () => {
      const { bind, users, realms } = this.settings;
      const user = userOf(login, realms);
      const looksForKeys = users.keyAttribute !== undefined || certificate !== undefined;
      if (user === undefined || !looksForKeys || bind.kind !== 'service') return { kind: 'refused', reason: 'unknown-user' };
      const found = await this.search((connection) => this.find(connection, login, user));
      if ('reason' in found) return { kind: 'refused', reason: found.reason, source };
      const { entry } = found;
      const publicKeys = users.keyAttribute === undefined ? [] : keysIn(entry.text(users.keyAttribute));
      if (!certificate && !hasKey(publicKeys, key)) return { kind: 'refused', reason: 'unknown-key', source };
      const reason = this.reasonOfState(entry) ?? this.reasonWithoutBind(entry);
      if (reason) return { kind: 'refused', reason, source };
      const account = await this.search((connection) => this.account(connection, entry, user));
      return typeof account === 'string' ? { kind: 'refused', reason: account, source } : checkKey({ ...account, publicKeys }, { key, certificate }, source);
    });
  }

  /** Tokens are not looked for in the directory. */
  async authenticateByToken(): Promise<Verdict> {
    return { kind: 'refused', reason: 'unknown-user' };
  }

  authenticateVouched({ user: login, certificate }: VouchedCredentials): Promise<Verdict> {
    return this.answer(async () => {
      const user = userOf(login, this.settings.realms);
      // Without a password nobody else could look the user up.
      if (user === undefined || this.settings.bind.kind !== 'service') return { kind: 'refused', reason: 'unknown-user' };
      const account = await this.withoutPassword(login, user);
      return typeof account === 'string' ? { kind: 'refused', reason: account, source } : checkVouched(account, certificate, source);
    });
  }

  async rulesOf(user: string): Promise<Account | 'none' | 'unknown'> {
    if (this.settings.bind.kind !== 'service') return 'unknown';
    return this.search(async (connection) => {
      const found = await this.find(connection, user, user);
      if ('reason' in found) return found.reason === 'unknown-user' ? 'none' : 'unknown';
      const account = await this.account(connection, found.entry, user);
      if (typeof account === 'string') return 'none';
      // Nobody asks by the password, so what the directory would say to it is looked at here.
      const isBarred = (this.reasonOfState(found.entry) ?? this.reasonWithoutBind(found.entry)) !== undefined;
      return isBarred ? { ...account, enabled: false } : account;
    });
  }

  /** The directory checks passwords, and is asked again every time but for `cacheSeconds`: it alone sees what has become of an account. */
  async recordOf(): Promise<'unknown'> {
    return 'unknown';
  }

  async close(): Promise<void> {
    this.authorities.close();
    await Promise.all([this.searchers.close(), this.binders.close()]);
  }

  /** Looks the user up as the service account, then binds as the user. */
  private async byService(login: string, user: string, password: string): Promise<Account | RefusalReason> {
    const found = await this.search((connection) => this.find(connection, login, user));
    if ('reason' in found) {
      await this.times.pretend();
      return found.reason;
    }
    const { entry } = found;
    const bound = await this.times.measure(() => this.bind((connection) => connection.bind(entry.dn, password)));
    if (!bound.ok) return activeDirectory.reasonOfBind(bound.words) ?? this.reasonOfState(entry) ?? 'wrong-password';
    return this.reasonOfState(entry) ?? this.search((connection) => this.account(connection, entry, user));
  }

  /** Binds as the user at once, then reads the own entry. */
  private directly(login: string, user: string, password: string): Promise<Account | RefusalReason> {
    const { bind } = this.settings;
    const template = bind.kind === 'direct' ? bind.name : '';
    const name = fill(template, { user, login }, template.includes('=') ? dnValue : undefined);
    return this.bind(async (connection) => {
      const bound = await connection.bind(name, password);
      if (!bound.ok) return activeDirectory.reasonOfBind(bound.words) ?? 'wrong-password';
      const found = await this.find(connection, login, user);
      if ('reason' in found) return found.reason;
      // One name may mean one account to the bind and another to the search (two user principal names that look alike):
      // only the entry that the password opens is this user's.
      if (plainDn(found.entry.dn) !== plainDn(name) && !(await connection.bind(found.entry.dn, password)).ok) return 'ambiguous';
      return this.reasonOfState(found.entry) ?? this.account(connection, found.entry, user);
    });
  }

  /** The account of somebody whose password nobody asks for. */
  private async withoutPassword(login: string, user: string): Promise<Account | RefusalReason> {
    const found = await this.search((connection) => this.find(connection, login, user));
    if ('reason' in found) return found.reason;
    const reason = this.reasonOfState(found.entry) ?? this.reasonWithoutBind(found.entry);
    return reason ?? this.search((connection) => this.account(connection, found.entry, user));
  }

  private async find(connection: DirectoryConnection, login: string, user: string): Promise<Found> {
    const { text, binary } = this.attributes;
    const entries = await connection.search(
      this.settings.users.base,
      { scope: 'sub', filter: filterOf(this.filter, { user, login }), attributes: [...text, ...binary], sizeLimit: 2 },
      binary,
    );
    if (entries.length > 1) return { reason: 'ambiguous' };
    return entries[0] ? { entry: entries[0] } : { reason: 'unknown-user' };
  }

  private async account(connection: DirectoryConnection, entry: DirectoryEntry, user: string): Promise<Account | RefusalReason> {
    const { rules, groups, users } = this.settings;
    const names = entry.text(this.nameAttribute);
    const name = names.find((one) => one.toLowerCase() === user.toLowerCase()) ?? names[0] ?? user;
    const memberships = rules.some(({ group }) => group !== undefined)
      ? await groupsOf(connection, { dn: entry.dn, name }, { base: groups.base ?? users.base, nested: groups.nested, activeDirectory: this.isActiveDirectory })
      : new Set<string>();
    return accountOf(rules, { name, entry, groups: memberships }) ?? 'no-rule-matches';
  }

  private reasonOfState(entry: DirectoryEntry): RefusalReason | undefined {
    return this.isActiveDirectory ? activeDirectory.reasonOfState(entry) : ldap.reasonOfState(entry);
  }

  /** What the directory itself would look at where it is asked with a password. */
  private reasonWithoutBind(entry: DirectoryEntry): RefusalReason | undefined {
    return this.isActiveDirectory ? activeDirectory.reasonWithoutBind(entry) : undefined;
  }

  private async bindService(connection: DirectoryConnection): Promise<void> {
    const { bind, users } = this.settings;
    if (bind.kind !== 'service') return;
    const bound = await connection.bind(bind.dn, await servicePassword(bind));
    if (!bound.ok) throw new Error(`the service account ${bind.dn} was refused (${bound.words})`);
    const [base] = await connection.search(users.base, { scope: 'base', attributes: ['1.1'] }).catch((error: Error) => {
      if (error instanceof DirectoryDown) throw error;
      return [];
    });
    if (!base) throw new Error(`the service account ${bind.dn} can't see ${users.base}: it has no rights there, or there is no such entry`);
  }

  private search<T>(work: (connection: DirectoryConnection) => Promise<T>): Promise<T> {
    return this.searchers.use((connection) => this.watched(connection, work));
  }

  private bind<T>(work: (connection: DirectoryConnection) => Promise<T>): Promise<T> {
    return this.binders.use((connection) => this.watched(connection, work));
  }

  private async watched<T>(connection: DirectoryConnection, work: (connection: DirectoryConnection) => Promise<T>): Promise<T> {
    try {
      const result = await work(connection);
      this.servers.answered(connection.url);
      return result;
    } catch (error) {
      if (error instanceof DirectoryDown && !error.wasStale) this.servers.failed(connection.url, error.message);
      throw error;
    }
  }

  private async refuseSlowly(reason: RefusalReason): Promise<Verdict> {
    await this.times.pretend();
    return { kind: 'refused', reason, source };
  }

  /** Whatever else goes wrong with the directory, nobody is let in by it. */
  private async answer(question: () => Promise<Verdict>): Promise<Verdict> {
    try {
      return await question();
    } catch (error) {
      return { kind: 'unavailable', reason: (error as Error).message };
    }
  }
}

function checkFilter({ users: { filter } }: DirectorySettings, key: string): void {
  if (filter === undefined) return;
  try {
    if (filter.split('(').length !== filter.split(')').length) throw new Error('a bracket is missing or too many');
    filterOf(filter, { user: 'user', login: 'user' });
  } catch (error) {
    throw new Error(`${key}.users.filter: "${filter}" is no filter (${(error as Error).message}); write it as (uid={user})`);
  }
}
