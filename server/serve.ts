/** Runs the server as a process: audit, metrics, admin door, signals, and the orderly end. */
import { hostname } from 'node:os';
import { version } from '../package.json';
import { type Health, startAdmin } from './admin/admin';
import { Metrics } from './admin/metrics';
import { RecentLines } from './admin/recent';
import type { Standing } from './admin/standing';
import { UploadNeeds } from './admin/upload-needs';
import { foldRepeats } from './audit/fold';
import { watchRoom } from './audit/room';
import { openAudit, openTarget } from './audit/sink';
import { type ServerConfig, withAbsolutePaths } from './config';
import { clientKey } from './limits/client-key';
import { LocalLimits } from './limits/local-limits';
import { shareLockouts } from './limits/shared-lockouts';
import { type RunningServer, type ServerParts, startServer } from './main';
import { keepMemoryOutOfCoreFiles } from './secrets/core-files';
import type { SessionInfo } from './sessions/session-info';
import { Primary, workerCount } from './workers/primary';

export interface Serving {
  readonly listeners: RunningServer['listeners'];
  readonly passivePorts: readonly number[];
  readonly adminPort: number | undefined;
  /** As `RunningServer.parts`, at the start. */
  readonly parts: Readonly<Record<string, string>>;
  /** Fulfilled with the exit code when the server has ended. */
  readonly ended: Promise<number>;
  /** Begins the orderly end: no new sessions, transfers finish, then exit. */
  drain(): void;
}

/** What serves: this process alone, or workers. */
interface Service {
  readonly listeners: RunningServer['listeners'];
  readonly passivePorts: readonly number[];
  sessions(): Promise<readonly SessionInfo[]>;
  transfers(): Promise<number>;
  /** As `RunningServer.parts`; with workers, the worst of each. */
  parts(): Promise<Readonly<Record<string, string>>>;
  standing(): Promise<Standing>;
  kick(id: string): Promise<boolean>;
  reload(): Promise<boolean>;
  metrics(): Promise<string>;
  /** `atOnce`: transfers are not waited for. */
  drain(atOnce: boolean): Promise<void>;
}

/** Everything in one process. */
async function alone(config: ServerConfig, { metrics, ...parts }: ServerParts & { readonly metrics: Metrics }): Promise<Service> {
  const server = await startServer(config, parts);
  metrics.watch({ sessions: () => server.sessions.all().length, transfers: server.transfers, waitingEvents: server.waitingEvents });
  return {
    listeners: server.listeners,
    passivePorts: server.passivePorts,
    sessions: async () => server.sessions.infos(),
    transfers: async () => server.transfers(),
    parts: async () => server.parts(),
    standing: async () => server.standing(),
    kick: (id) => server.sessions.kick(id),
    reload: () => server.reload(),
    metrics: () => metrics.registry.metrics(),
    drain: (atOnce) => server.drain(atOnce),
  };
}

/** Events of the audit that the console shows. */
const EVENTS_SHOWN = 100;

/** Starts everything. Throws an Error for a person where something can't be opened. */
export async function serve(settings: ServerConfig): Promise<Serving> {
  const config = withAbsolutePaths(settings);
  keepMemoryOutOfCoreFiles();
  const startedAt = new Date().toISOString();
  let exitCode = 0;
  let draining = false;
  let end!: (code: number) => void;
  const ended = new Promise<number>((resolve) => {
    end = resolve;
  });
  const recent = new RecentLines();
  const metrics = new Metrics();
  const room = config.audit.rotate
    ? watchRoom(
        () => audit,
        config.audit.rotate.freeBytes,
        (bytes) => metrics.auditFree(bytes),
      )
    : undefined;
  const sink = openAudit(recent.beside(await openTarget(config.audit, room)), (error) => {
    // What can't be audited is not served: nobody's transfer is waited for, nor is a drain that goes on already.
    process.stderr.write(`ftps: the audit can't be written (${error.message}); going down\n`);
    exitCode = 1;
    auditFailed();
  });
  // It may fail before everything is open: what is to end waits for the start.
  let auditFailed!: () => void;
  const failure = new Promise<void>((resolve) => {
    auditFailed = resolve;
  });
  const audit = metrics.counting(foldRepeats(sink, clientKey));
  const limits = shareLockouts(new LocalLimits(config.limits), config.limits, audit);
  const start =
    workerCount(config) > 1 ? Primary.start(config, { audit, sink, limits, registry: metrics.registry }) : alone(config, { audit, limits, metrics });
  const server: Service = await start.catch(async (error) => {
    await audit.close();
    throw error;
  });
  // Short of room is an alarm, but no reason to replace a server that serves.
  const none: Record<string, string> = {};
  const auditState: () => Record<string, string> = () => (room && config.audit.destination !== '-' ? { audit: room.state } : none);
  const standing = async () => {
    const { dependencies, ...rest } = await server.standing();
    return { ...rest, dependencies: { ...dependencies, ...(room && room.state !== 'up' ? { audit: `down: ${room.state}` } : {}) } };
  };
  const needs = new UploadNeeds(config);
  const health = async (): Promise<Health> => {
    const parts = { ...(await server.parts()), ...(await needs.states()) };
    const failed = Object.values(parts).some((state) => state.startsWith('down'));
    return { status: draining ? 'draining' : failed ? 'failed' : 'ok', parts: { transfers: String(await server.transfers()), ...parts, ...auditState() } };
  };
  const admin = await startAdmin(config.admin, {
    health,
    overview: async () => ({
      host: hostname(),
      version,
      startedAt,
      health: await health(),
      standing: await standing(),
      sessions: await server.sessions(),
      recent: recent.last(EVENTS_SHOWN),
    }),
    sessions: () => server.sessions(),
    kick: (id) => server.kick(id),
    reload: () => server.reload(),
    drain: () => drain(),
    metrics: () => server.metrics(),
  }).catch(async (error) => {
    await server.drain(false);
    await audit.close();
    throw error;
  });
  const parts = await server.parts();
  audit.record({
    kind: 'server',
    change: 'started',
    detail: {
      listeners: server.listeners,
      passive: config.passive.ports,
      tls_policy: config.tls.policy,
      parts: Object.entries(parts).map(([part, state]) => ({ part, state })),
    },
  });

  const heartbeat = setInterval(
    async () => audit.record({ kind: 'server', change: 'alive', detail: { sessions: (await server.sessions()).length, transfers: await server.transfers() } }),
    config.audit.heartbeatSeconds * 1000,
  );

  const onHangup = () => {
    void server.reload();
    void sink.reopen().catch(() => {}); // a failing write says so by itself
  };
  const onTerm = () => drain();
  process.on('SIGTERM', onTerm).on('SIGINT', onTerm).on('SIGHUP', onHangup);
  void failure.then(() => {
    if (draining) void server.drain(true);
    else drain(true);
  });

  function drain(atOnce = false) {
    if (draining) return;
    draining = true;
    audit.record({ kind: 'server', change: 'draining' });
    void (async () => {
      await server.drain(atOnce);
      await admin.close();
      clearInterval(heartbeat);
      audit.record({ kind: 'server', change: 'stopped' });
      await audit.close().catch(() => {}); // reported when it happened
      process.off('SIGTERM', onTerm).off('SIGINT', onTerm).off('SIGHUP', onHangup);
      end(exitCode);
    })();
  }

  return { listeners: server.listeners, passivePorts: server.passivePorts, adminPort: admin.port, parts, ended, drain: () => drain() };
}
