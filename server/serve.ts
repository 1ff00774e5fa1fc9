/** Runs the server as a process: audit, metrics, admin door, signals, and the orderly end. */
import { startAdmin } from './admin/admin';
import { Metrics } from './admin/metrics';
import { openAudit } from './audit/sink';
import type { ServerConfig } from './config';
import { infoOf } from './control/session-info';
import { LocalLimits } from './listener/local-limits';
import { shareLockouts } from './listener/shared-lockouts';
import { type RunningServer, startServer } from './main';
import { keepMemoryOutOfCoreFiles } from './secrets/core-files';

export interface Serving {
  readonly listeners: RunningServer['listeners'];
  readonly passivePorts: readonly number[];
  readonly adminPort: number | undefined;
  /** As `RunningServer.parts`. */
  readonly parts: RunningServer['parts'];
  /** Fulfilled with the exit code when the server has ended. */
  readonly ended: Promise<number>;
  /** Begins the orderly end: no new sessions, transfers finish, then exit. */
  drain(): void;
}

/** Starts everything. Throws an Error for a person where something can't be opened. */
export async function serve(config: ServerConfig): Promise<Serving> {
  keepMemoryOutOfCoreFiles();
  let exitCode = 0;
  let draining = false;
  let end!: (code: number) => void;
  const ended = new Promise<number>((resolve) => {
    end = resolve;
  });
  const sink = await openAudit(config.audit, (error) => {
    // What can't be audited is not served.
    process.stderr.write(`ftps: the audit can't be written (${error.message}); going down\n`);
    exitCode = 1;
    drain();
  });
  const metrics = new Metrics();
  const audit = metrics.counting(sink);
  const server = await startServer(config, { audit, limits: shareLockouts(new LocalLimits(config.limits), config.limits, audit) }).catch(async (error) => {
    await sink.close();
    throw error;
  });
  metrics.watch({ sessions: () => server.sessions().length, transfers: server.transfers });
  const admin = await startAdmin(config.admin, {
    health: () => {
      const parts = server.parts();
      const failed = Object.values(parts).some((state) => state.startsWith('down'));
      return { status: draining ? 'draining' : failed ? 'failed' : 'ok', parts: { transfers: String(server.transfers()), ...parts } };
    },
    sessions: async () => server.sessions().map(infoOf),
    async kick(id) {
      const session = server.sessions().find((one) => one.id === id);
      await session?.dismiss('kicked', 'The administrator closed this session.');
      return session !== undefined;
    },
    reload: () => server.reload(),
    drain,
    metrics: () => metrics.registry.metrics(),
  }).catch(async (error) => {
    await server.drain();
    await sink.close();
    throw error;
  });
  audit.record({
    kind: 'server',
    change: 'started',
    detail: {
      listeners: server.listeners,
      passive: config.passive.ports,
      tls_policy: config.tls.policy,
      ...server.parts(),
    },
  });

  const heartbeat = setInterval(
    () => audit.record({ kind: 'server', change: 'alive', detail: { sessions: server.sessions().length, transfers: server.transfers() } }),
    config.audit.heartbeatSeconds * 1000,
  );

  const onHangup = () => {
    void server.reload();
    void sink.reopen().catch(() => {}); // a failing write says so by itself
  };
  process.on('SIGTERM', drain).on('SIGINT', drain).on('SIGHUP', onHangup);

  function drain() {
    if (draining) return;
    draining = true;
    audit.record({ kind: 'server', change: 'draining' });
    void (async () => {
      await server.drain();
      await admin.close();
      clearInterval(heartbeat);
      audit.record({ kind: 'server', change: 'stopped' });
      await sink.close().catch(() => {}); // reported when it happened
      process.off('SIGTERM', drain).off('SIGINT', drain).off('SIGHUP', onHangup);
      end(exitCode);
    })();
  }

  return { listeners: server.listeners, passivePorts: server.passivePorts, adminPort: admin.port, parts: server.parts, ended, drain };
}
