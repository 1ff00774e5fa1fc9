/** A worker: one process that serves, with what there is once for all workers on the other end of its link. */
import { Metrics } from '../admin/metrics';
import { foldRepeats } from '../audit/fold';
import { openAudit } from '../audit/sink';
import type { NameLocks } from '../files/storage/name-locks';
import type { UsageCounts } from '../files/storage/usage-counts';
import type { Bandwidth } from '../limits/bandwidth';
import type { Busyness } from '../limits/busyness';
import { clientKey } from '../limits/client-key';
import type { Limits } from '../limits/limits';
import { type RunningServer, startServer } from '../main';
import { keepMemoryOutOfCoreFiles } from '../secrets/core-files';
import type { Requests } from '../sessions/requests';
import type { SignIns } from '../sessions/sign-ins';
import { AuditTarget } from './audit-target';
import { Link, type Methods, type Port } from './link';
import type { PrimaryMethods, WorkerMethods } from './methods';
import { TouchedFolders } from './touched-folders';

/** Waits for the primary's orders. The process ends when it has drained, and when the primary is gone. */
export function runWorker(): void {
  if (!process.send) throw new Error('a worker is started by `ftps serve`, not by hand');
  keepMemoryOutOfCoreFiles();
  // What a terminal or a service manager sends to all processes alike is the primary's to act on.
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => {});
  process.once('disconnect', () => process.exit(0));
  let server: RunningServer | undefined;
  const metrics = new Metrics();
  const busyness: Busyness & { isBusy: boolean } = { isBusy: false, found: (isBusy: boolean) => primary.tell('foundBusy', isBusy) };
  const methods: WorkerMethods = {
    async start(config, ports, place) {
      // Each worker has a chain of its own, written into the one destination by the primary, which also acts on a failure.
      const sink = openAudit(new AuditTarget(primary), () => {});
      const who = () => primary.call('who');
      server = await startServer(config, {
        audit: metrics.counting(foldRepeats(sink, clientKey)),
        limits: remoteLimits(primary),
        counts: remoteCounts(primary),
        locks: remoteLocks(primary),
        bandwidth: remoteBandwidth(primary),
        busyness,
        signIns: remoteSignIns(primary),
        requests: remoteRequests(primary),
        passwords: {
          check: (question) => primary.call('checkPassword', question),
          spend: (...args) => primary.call('spendCode', ...args),
          close: async () => {},
        },
        ports,
        place,
        who,
      });
      metrics.watch({ sessions: () => server!.sessions.all().length, transfers: server.transfers, waitingEvents: server.waitingEvents });
      return { listeners: server.listeners, passivePorts: server.passivePorts };
    },
    sessions: () => server?.sessions.infos() ?? [],
    transfers: () => server?.transfers() ?? 0,
    serverBusy(isBusy) {
      busyness.isBusy = isBusy;
    },
    parts: () => server?.parts() ?? {},
    standing: () => server?.standing(),
    kick: async (id) => (await server?.sessions.kick(id)) ?? false,
    reload: async () => (await server?.reload()) ?? true,
    drain: async (atOnce) => server?.drain(atOnce),
    metrics: () => metrics.registry.getMetricsAsJSON(),
  };
  const primary = new Link<PrimaryMethods>(process as Port, methods as unknown as Methods);
}

/** The primary's counts, for quotas. */
function remoteCounts(primary: Link<PrimaryMethods>): UsageCounts {
  const touched = new TouchedFolders((folder) => primary.tell('folderTouched', folder));
  /** For everything else, which is to find what happened before it. */
  const afterwards = () => {
    touched.tell();
    return primary;
  };
  return {
    take: (...args) => afterwards().call('takeRoom', ...args),
    lend: (...args) => afterwards().call('lendRoom', ...args),
    settle: (...args) => afterwards().tell('settleRoom', ...args),
    touched: (folder) => touched.add(folder),
    moved: (...args) => afterwards().tell('folderMoved', ...args),
    counting: (...args) => afterwards().call('countingHome', ...args),
    counted: (...args) => afterwards().call('homeCounted', ...args),
    held: (...args) => afterwards().call('heldRoom', ...args),
  };
}

/** The primary's locks on names. */
function remoteLocks(primary: Link<PrimaryMethods>): NameLocks {
  return {
    async hold(name) {
      await primary.call('lockName', name);
      return () => primary.tell('unlockName', name);
    },
  };
}

/** The primary's count of what moves. */
function remoteBandwidth(primary: Link<PrimaryMethods>): Bandwidth {
  return { take: (...args) => primary.call('takeBandwidth', ...args) };
}

/** The primary's sign-ins. */
function remoteSignIns(primary: Link<PrimaryMethods>): SignIns {
  return {
    begin: (...args) => primary.call('beginSignIn', ...args),
    keep: (...args) => primary.call('keepSignIn', ...args),
    sealOf: (...args) => primary.call('sealOfSignIn', ...args),
    find: (...args) => primary.call('findSignIn', ...args),
    end: (...args) => primary.tell('endSignIn', ...args),
  };
}

/** What the primary knows of requests. */
function remoteRequests(primary: Link<PrimaryMethods>): Requests {
  return {
    count: (who) => primary.call('countRequest', who),
    begin: (...args) => primary.call('beginRequest', ...args),
    end: (...args) => primary.tell('endRequest', ...args),
  };
}

/** The primary's limits. A release needs no answer; if the primary is gone, so is this process. */
function remoteLimits(primary: Link<PrimaryMethods>): Limits {
  return {
    admitConnection: (address) => primary.call('admitConnection', address),
    releaseConnection: (address, end) => primary.tell('releaseConnection', address, end),
    beginLogin: (address, login) => primary.call('beginLogin', address, login),
    loginFailed: (address, login) => primary.call('loginFailed', address, login),
    loginSucceeded: (address, login, first) => primary.call('loginSucceeded', address, login, first),
    loginUndecided: (address, login) => primary.tell('loginUndecided', address, login),
    admitAccount: (user, maxSessions) => primary.call('admitAccount', user, maxSessions),
    releaseAccount: (user) => primary.tell('releaseAccount', user),
  };
}
