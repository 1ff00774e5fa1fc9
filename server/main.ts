/** Wires the parts of one serving process together: what every protocol works with, then the protocols that are on. */
import { RecentAs2 } from './admin/as2-messages';
import { Dependencies } from './admin/dependencies';
import type { Standing } from './admin/standing';
import { openAs2 } from './as2/open';
import type { Audit } from './audit/event';
import type { ServerConfig } from './config';
import { openScanner } from './files/antivirus/open';
import { runningTransfers } from './files/buffers';
import { FairTurns } from './files/fair-turns';
import { Files } from './files/files';
import type { Place } from './files/release/outbox';
import { Releases } from './files/release/releases';
import type { NameLocks } from './files/storage/name-locks';
import { openStorage } from './files/storage/open';
import { Retention } from './files/storage/retention';
import { sweepOn } from './files/storage/sweeping';
import type { UsageCounts } from './files/storage/usage-counts';
import { TransferLoad } from './files/transfer-load';
import { openFtps } from './ftps/open';
import { openHttps } from './https/open';
import type { PasswordChecks } from './identity/hashing/checks';
import { HashPool } from './identity/hashing/pool';
import { Issuers } from './identity/issuers/issuers';
import { openIdentity } from './identity/open';
import { type Bandwidth, LocalBandwidth } from './limits/bandwidth';
import { type Busyness, OwnBusyness } from './limits/busyness';
import type { Limits } from './limits/limits';
import { Newcomers } from './limits/newcomers';
import type { OpenPort, OpenProtocol } from './sessions/protocol';
import { Sessions } from './sessions/registry';
import { LocalRequests, type Requests } from './sessions/requests';
import type { SessionInfo } from './sessions/session-info';
import { keepSignIns } from './sessions/shared-sign-ins';
import type { SignIns } from './sessions/sign-ins';
import { openSsh } from './ssh/open';
import { ServerCertificates } from './tls/certificates';
import { assertFips } from './tls/fips';

/** What a serving process is given from outside: they may be shared with other processes. */
export interface ServerParts {
  readonly audit: Audit;
  readonly limits: Limits;
  /** Where passwords are hashed. By default in threads of this process. */
  readonly passwords?: PasswordChecks;
  /** The sessions of all processes, where there are several. By default those of this one. */
  readonly who?: () => Promise<readonly SessionInfo[]>;
  /** Where quotas are counted. By default in this process. */
  readonly counts?: UsageCounts;
  /** Locks on the names of files. By default of this process. */
  readonly locks?: NameLocks;
  /** Which of the processes this is; the first does what is to be done once for all of them. By default it is the only one. */
  readonly place?: Place;
  /** Where the bytes of bandwidth limits are counted. By default in this process. */
  readonly bandwidth?: Bandwidth;
  /** Whether transfers keep any process of the server busy. By default this one. */
  readonly busyness?: Busyness;
  /** Where sign-ins over HTTPS are kept. By default in this process. */
  readonly signIns?: SignIns;
  /** What is known of requests over HTTPS. By default in this process. */
  readonly requests?: Requests;
  /** This process's share of the passive range. By default all of it. */
  readonly ports?: readonly number[];
}

/** Files that are hashed at once for HASH and its like, in one process, and one of an account: they read from the same disk as transfers. */
const HASHES_AT_ONCE = 2;
/** Large files at once that were not written in order, and are copied, or hashed and scanned, as a whole; of one account one. */
const DRAFTS_AT_ONCE = 4;

/** Folders that are removed with everything in them at once; of one account one. */
const TREES_AT_ONCE = 4;

/** A server that is listening. */
export interface RunningServer {
  readonly listeners: readonly OpenPort[];
  readonly passivePorts: readonly number[];
  readonly sessions: Sessions;
  readonly transfers: () => number;
  /** Events of uploads that wait for EventBridge. */
  readonly waitingEvents: () => number;
  /** How parts that can fail by themselves are: `up`, `off`, or `down: ` and why. */
  readonly parts: () => Readonly<Record<string, string>>;
  readonly standing: () => Standing;
  /** Looks at certificates, host keys and revoked keys again. False where something was refused and the last good one stays. */
  reload(): Promise<boolean>;
  /** Takes no new sessions, lets transfers finish for `limits.drainSeconds`, says goodbye to everyone and closes. `atOnce`: waits for no transfer, nor goes on waiting. */
  drain(atOnce?: boolean): Promise<void>;
}

/** Opens everything and begins to serve. Throws an Error for a person where something can't be opened; nothing is left open then. */
export async function startServer(
  config: ServerConfig,
  { limits, who, counts, locks, bandwidth, busyness = new OwnBusyness(), ports, place = { index: 0, count: 1 }, ...given }: ServerParts,
): Promise<RunningServer> {
  if (config.tls.policy === 'fips') assertFips();
  const dependencies = new Dependencies([
    ...(config.antivirus?.kind === 'clamd' ? (['scanner'] as const) : []),
    ...(config.identity.some(({ kind }) => kind === 'directory') ? (['directory'] as const) : []),
    ...(config.afterRelease.eventBus === undefined ? [] : (['events'] as const)),
    ...(config.https?.issuers.length ? (['issuer'] as const) : []),
    ...(config.afterRelease.webhooks.length === 0 ? [] : (['webhooks'] as const)),
  ]);
  const exchanged = new RecentAs2();
  const audit = exchanged.hearing(dependencies.hearing(given.audit));
  const closers: (() => Promise<void>)[] = [];
  try {
    const certificates = await ServerCertificates.open(config.tls, audit);
    closers.push(async () => certificates.close());
    const passwords = given.passwords ?? new HashPool(config, { busyness });
    if (!given.passwords) closers.push(() => passwords.close());
    const identity = await openIdentity(config, audit, passwords);
    closers.push(() => identity.close());
    const quotaOf = async (user: string) => {
      const rules = await identity.rulesOf(user);
      return typeof rules === 'string' ? ('unknown' as const) : rules.quota;
    };
    const storage = openStorage(config, { counts, locks, quotaOf }, place.count);
    closers.push(() => storage.close());
    const sweep = storage.sweep();
    await sweep.next(); // a storage that can't be reached is told at the start
    closers.push(sweepOn(sweep, ({ message }) => audit.record({ kind: 'health', part: 'storage', state: 'down', detail: `sweep: ${message}` })));
    const scanner = openScanner(config.antivirus, (state, detail) => audit.record({ kind: 'health', part: 'scanner', state, detail }));
    if (scanner) closers.push(() => scanner.close());
    const releases = await Releases.open(config.afterRelease, { audit, storage, place });
    closers.push(() => releases.close());
    const retention = new Retention({ storage, identity, audit, cleans: place.index === 0 });
    closers.push(() => retention.close());
    const sessions = new Sessions();
    const hurry = new AbortController();
    const files = new Files({
      config,
      audit,
      storage: retention.watching(),
      scanner,
      releases,
      bandwidth: bandwidth ?? new LocalBandwidth(config.limits.bandwidth),
      hashing: new FairTurns(HASHES_AT_ONCE),
      drafts: new FairTurns(DRAFTS_AT_ONCE),
      trees: new FairTurns(TREES_AT_ONCE),
      load: new TransferLoad(busyness),
      // In a hurry a server is because its audit can't be written, or that of all workers.
      isDoomed: () => audit.failed || hurry.signal.aborted,
    });
    const newcomers = new Newcomers(busyness);
    const parts = { config, audit, identity, files, limits, newcomers, certificates, sessions, who: who ?? (async () => sessions.infos()) };
    const opened = <One extends OpenProtocol>(one: One): One => {
      closers.push(() => one.close());
      return one;
    };
    const ftps = opened(await openFtps(parts, ports));
    const { sftp, https, as2 } = config;
    const ssh = sftp && opened(await openSsh({ ...parts, config: { ...config, sftp } }));
    const edi = as2 && opened(await openAs2({ ...parts, config: { ...config, as2 } }));
    const own = https && !given.signIns ? keepSignIns(limits, https, config.limits.sessions, audit) : undefined;
    if (own) closers.push(async () => own.close());
    const signIns = given.signIns ?? own;
    const issuers = https && (await Issuers.open({ ...https, fips: config.tls.policy === 'fips' }, audit, identity));
    if (issuers) closers.push(async () => issuers.close());
    const requests = given.requests ?? new LocalRequests();
    const mounted = edi ? [edi.mounted] : [];
    const web =
      https && signIns && issuers && opened(await openHttps({ ...parts, config: { ...config, https }, signIns, requests, issuers, passwords, mounted }, place));
    const protocols: readonly OpenProtocol[] = [ftps, ssh, web, edi].filter((one) => one !== undefined);
    retention.start();
    let drained: Promise<void> | undefined;
    const drain = async () => {
      for (const one of protocols) one.stopTaking();
      const cut = await sessions.farewell(config.limits.drainSeconds, hurry.signal);
      if (cut > 0) audit.record({ kind: 'server', change: 'drain-timed-out', detail: { sessions: cut } });
      await closeAll(closers);
      await audit.flush();
    };
    return {
      listeners: [
        ...protocols.flatMap((one) => one.ports),
        ...(web && as2 && as2.port === undefined ? web.ports.map((one) => ({ ...one, mode: 'as2' as const })) : []),
      ],
      passivePorts: ftps.passivePorts,
      sessions,
      transfers: runningTransfers,
      waitingEvents: () => releases.waiting,
      parts: () => ({ firewall: ftps.firewallState }),
      standing: () => ({
        passive: { open: ftps.passivePorts.length, waitedOn: ftps.waitedOn },
        certificates: certificates.described,
        dependencies: { ...dependencies.states, ...edi?.states },
        ...(edi ? { as2: exchanged.last } : {}),
      }),
      reload: async () => (await Promise.all([certificates.reload(), ...protocols.map((one) => one.reload?.() ?? true)])).every(Boolean),
      drain: (atOnce = false) => {
        if (atOnce) hurry.abort();
        drained ??= drain();
        return drained;
      },
    };
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
}

/** Closes in the reverse order of opening. */
async function closeAll(closers: readonly (() => Promise<void>)[]): Promise<void> {
  for (const close of [...closers].reverse()) await close();
}
