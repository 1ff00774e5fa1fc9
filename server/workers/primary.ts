/** The primary: forks the workers, keeps what there is once for all of them, and replaces one that dies. */
import cluster, { type Worker } from 'node:cluster';
import { availableParallelism } from 'node:os';
import { AggregatorRegistry, type MetricObject, type Registry } from 'prom-client';
import { type Standing, together } from '../admin/standing';
import type { Audit } from '../audit/event';
import type { AuditSink } from '../audit/sink';
import { parsePortRange, portsOf, type ServerConfig } from '../config';
import { HeldNameLocks, LocalNameLocks } from '../files/storage/name-locks';
import { LocalCounts } from '../files/storage/usage-counts';
import { HashPool } from '../identity/hashing/pool';
import { LocalBandwidth } from '../limits/bandwidth';
import type { Limits } from '../limits/limits';
import { HeldRequests, LocalRequests } from '../sessions/requests';
import type { SessionInfo } from '../sessions/session-info';
import { type KeptSignIns, keepSignIns } from '../sessions/shared-sign-ins';
import { closeWhatIsNotTaken } from './handed-over';
import { HeldCounts } from './held-counts';
import { HeldLimits } from './held-limits';
import { Link, type Methods } from './link';
import type { PrimaryMethods, WorkerMethods, WorkerStarted } from './methods';
import { SharedBusyness } from './shared-busyness';

/**
 * glibc gives memory back to the kernel as soon as a transfer's buffers are free, and takes the page faults again with the next
 * piece; kept, a download costs a fifth less. Bytes.
 */
const MALLOC = { MALLOC_TRIM_THRESHOLD_: '268435456', MALLOC_MMAP_THRESHOLD_: '33554432', MALLOC_TOP_PAD_: '4194304' };

/** A worker that dies is replaced at once; one that dies again and again, after waits that double up to this. */
const LONGEST_WAIT_MS = 10_000;
/** A worker that has served that long was no failed start. */
const SETTLED_MS = 10_000;

/** How many workers the settings mean: never more than there are passive ports to give them. */
export function workerCount({ workers, passive }: Pick<ServerConfig, 'workers' | 'passive'>): number {
  return Math.min(workers === 'auto' ? availableParallelism() : workers, portsOf(parsePortRange(passive.ports)).length);
}

/** The ports for each worker, in slices that differ by one at most. */
export function splitPorts(ports: readonly number[], workers: number): number[][] {
  return Array.from({ length: workers }, (_, index) =>
    ports.slice(Math.floor((index * ports.length) / workers), Math.floor(((index + 1) * ports.length) / workers)),
  );
}

export interface PrimaryParts {
  /** The primary's own chain. */
  readonly audit: Audit;
  readonly sink: AuditSink;
  readonly limits: Limits;
  readonly registry: Registry;
}

/** A worker's place: its passive ports outlive it. */
interface Place {
  ports: readonly number[];
  worker: Worker | undefined;
  link: Link<WorkerMethods> | undefined;
  metrics: MetricObject[];
  failures: number;
}

/** What one worker holds of what there is once for all: it is given back when the worker dies. */
interface Held {
  readonly limits: HeldLimits;
  readonly counts: HeldCounts;
  readonly locks: HeldNameLocks;
  readonly requests: HeldRequests;
}

export class Primary {
  private readonly places: Place[];
  /** Processes that have not ended, the spare one included. */
  private readonly running = new Set<Worker>();
  private allEnded: (() => void) | undefined;
  private spare: Worker | undefined;
  /** Counters of workers that are gone, as they were last asked for: a sum must not fall. */
  private readonly lost: MetricObject[][] = [];
  private readonly counts = new LocalCounts();
  private readonly locks = new LocalNameLocks();
  private readonly bandwidth: LocalBandwidth;
  private readonly signIns: KeptSignIns | undefined;
  private readonly requests = new LocalRequests();
  /** One for all workers: each with threads of its own would hash side by side with all the others. */
  private readonly passwords: HashPool;
  private draining = false;
  private readonly busyness = new SharedBusyness((isBusy) => {
    for (const { link } of this.places) link?.tell('serverBusy', isBusy);
  });
  listeners: WorkerStarted['listeners'] = [];

  private constructor(
    private readonly config: ServerConfig,
    private readonly given: PrimaryParts,
  ) {
    this.bandwidth = new LocalBandwidth(config.limits.bandwidth);
    this.passwords = new HashPool(config, { busyness: this.busyness });
    this.signIns = config.https && keepSignIns(given.limits, config.https, config.limits.sessions, given.audit);
    this.places = splitPorts(portsOf(parsePortRange(config.passive.ports)), workerCount(config)).map((ports) => ({
      ports,
      worker: undefined,
      link: undefined,
      metrics: [],
      failures: 0,
    }));
  }

  /** Starts all workers. Throws an Error for a person where one can't open what it needs; none is left then. */
  static async start(config: ServerConfig, parts: PrimaryParts): Promise<Primary> {
    cluster.schedulingPolicy = cluster.SCHED_RR;
    cluster.setupPrimary({ exec: process.argv[1]!, args: ['worker'] });
    const primary = new Primary(config, parts);
    try {
      // The first alone: what is wrong with the settings is then said once.
      for (const place of primary.places) await primary.fill(place);
      primary.prepare();
    } catch (error) {
      await primary.drain();
      throw error;
    }
    return primary;
  }

  get passivePorts(): readonly number[] {
    return this.places.flatMap(({ ports }) => ports);
  }

  /** Process ids of the workers that run. */
  get pids(): readonly number[] {
    return this.places.flatMap(({ worker }) => (worker?.process.pid === undefined ? [] : [worker.process.pid]));
  }

  async sessions(): Promise<SessionInfo[]> {
    return (await this.ask((link) => link.call('sessions'))).flat();
  }

  async transfers(): Promise<number> {
    return (await this.ask((link) => link.call('transfers'))).reduce((sum, count) => sum + count, 0);
  }

  /** What one worker says is down is down. */
  async parts(): Promise<Record<string, string>> {
    const all = await this.ask((link) => link.call('parts'));
    const failing = (parts: Readonly<Record<string, string>>) => Object.entries(parts).filter(([, state]) => state.startsWith('down'));
    return Object.fromEntries([...all.flatMap((parts) => Object.entries(parts)), ...all.flatMap(failing)]);
  }

  async standing(): Promise<Standing> {
    return together((await this.ask((link) => link.call('standing'))).filter((one) => one !== undefined));
  }

  async kick(id: string): Promise<boolean> {
    return (await this.ask((link) => link.call('kick', id))).includes(true);
  }

  async reload(): Promise<boolean> {
    return !(await this.ask((link) => link.call('reload'))).includes(false);
  }

  /** The metrics of all processes as one. */
  async metrics(): Promise<string> {
    await Promise.all(
      this.places.map(async (place) => {
        place.metrics = (await place.link?.call('metrics').catch(() => undefined)) ?? place.metrics;
      }),
    );
    const own = await this.given.registry.getMetricsAsJSON();
    return AggregatorRegistry.aggregate([own, ...this.lost, ...this.places.map(({ metrics }) => metrics)]).metrics();
  }

  /** Lets every worker finish and end. `atOnce`: waits for no transfer, nor goes on waiting. */
  async drain(atOnce = false): Promise<void> {
    const isFirst = !this.draining;
    this.draining = true;
    await this.ask((link) => link.call('drain', atOnce));
    if (!isFirst) return;
    const ended = new Promise<void>((resolve) => {
      this.allEnded = resolve;
    });
    for (const worker of this.running) worker.disconnect();
    if (this.running.size > 0) await ended;
    await this.passwords.close();
    this.signIns?.close();
  }

  /** Asks all workers that run; one that dies meanwhile doesn't answer. */
  private async ask<T>(question: (link: Link<WorkerMethods>) => Promise<T>): Promise<T[]> {
    const answers = await Promise.allSettled(this.places.flatMap(({ link }) => (link ? [question(link)] : [])));
    return answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  }

  /** A process that is ready to be a worker: half of the time until it serves goes by before it is needed. */
  private prepare(): void {
    const spare = cluster.fork(MALLOC);
    closeWhatIsNotTaken(spare);
    this.spare = spare;
    spare.on('error', () => {}); // what was sent to a process that was just ending
    this.running.add(spare);
    spare.once('exit', () => {
      this.running.delete(spare);
      if (this.spare === spare) this.spare = undefined; // the next loss finds none, and forks
      if (this.running.size === 0) this.allEnded?.();
    });
  }

  /** Lets a prepared process, or a new one, serve in a place. */
  private async fill(place: Place): Promise<void> {
    if (!this.spare) this.prepare();
    const worker = this.spare!;
    this.spare = undefined;
    const since = Date.now();
    const held = new HeldLimits(this.given.limits);
    const counts = new HeldCounts(this.counts);
    const locks = new HeldNameLocks(this.locks);
    const requests = new HeldRequests(this.requests);
    const link = new Link<WorkerMethods>(worker, this.methods(place, { limits: held, counts, locks, requests }) as unknown as Methods);
    place.worker = worker;
    let serves = false;
    worker.once('exit', (code, signal) => {
      link.lost();
      held.releaseAll();
      counts.releaseAll();
      locks.releaseAll();
      requests.releaseAll();
      place.worker = undefined;
      place.link = undefined;
      this.busyness.found(place, false);
      this.lost.push(place.metrics.filter(({ type }) => (type as unknown) !== 'gauge'));
      place.metrics = [];
      if (this.draining || !serves) return;
      process.stderr.write(`ftps: a worker ended (${signal ?? code}); starting another\n`);
      this.given.audit.record({ kind: 'server', change: 'worker-lost' });
      if (Date.now() - since > SETTLED_MS) place.failures = 0;
      this.replace(place);
    });
    const started = await link
      .call('start', this.config, place.ports, { index: this.places.indexOf(place), count: this.places.length })
      .catch((error: Error) => {
        worker.kill('SIGKILL');
        throw error;
      });
    serves = true;
    place.link = link;
    if (this.busyness.isBusy) link.tell('serverBusy', true);
    place.ports = started.passivePorts;
    this.listeners = started.listeners;
  }

  private replace(place: Place): void {
    const wait = place.failures === 0 ? 0 : Math.min(LONGEST_WAIT_MS, 50 * 2 ** place.failures);
    place.failures += 1;
    setTimeout(() => {
      if (this.draining) return;
      this.fill(place).then(
        () => {
          this.given.audit.record({ kind: 'server', change: 'worker-started' });
          if (!this.draining && !this.spare) this.prepare();
        },
        (error: Error) => {
          process.stderr.write(`ftps: a worker can't be started (${error.message}); trying again\n`);
          this.replace(place);
        },
      );
    }, wait);
  }

  private methods(place: Place, { limits, counts, locks, requests }: Held): PrimaryMethods {
    return {
      admitConnection: (address) => limits.admitConnection(address),
      releaseConnection: (address, end) => limits.releaseConnection(address, end),
      beginLogin: (address, login) => limits.beginLogin(address, login),
      loginFailed: (address, login) => limits.loginFailed(address, login),
      loginSucceeded: (address, login, first) => limits.loginSucceeded(address, login, first),
      loginUndecided: (address, login) => limits.loginUndecided(address, login),
      // JSON has no undefined inside of a list.
      admitAccount: (user, maxSessions) => limits.admitAccount(user, maxSessions ?? undefined),
      releaseAccount: (user) => limits.releaseAccount(user),
      takeRoom: (...args) => counts.take(...args),
      lendRoom: (...args) => counts.lend(...args),
      settleRoom: (...args) => counts.settle(...args),
      folderTouched: (...args) => this.counts.touched(...args),
      folderMoved: (...args) => this.counts.moved(...args),
      countingHome: (...args) => counts.counting(...args),
      homeCounted: (...args) => counts.counted(...args),
      heldRoom: (home) => this.counts.held(home),
      lockName: (name) => locks.lock(name),
      unlockName: (name) => locks.unlock(name),
      foundBusy: (isBusy) => this.busyness.found(place, isBusy),
      checkPassword: (question) => this.passwords.check(question),
      spendCode: (...args) => this.passwords.spend(...args),
      takeBandwidth: (...args) => this.bandwidth.take(...args),
      // JSON has no undefined inside of a list.
      beginSignIn: async (key, user, maxSessions) => (await this.signIns?.begin(key, user, maxSessions ?? undefined)) ?? false,
      keepSignIn: async (...args) => this.signIns?.keep(...args),
      sealOfSignIn: async (key) => (await this.signIns?.sealOf(key)) ?? '',
      findSignIn: async (...args) => this.signIns?.find(...args),
      endSignIn: (key) => this.signIns?.end(key),
      countRequest: (who) => requests.count(who),
      beginRequest: (...args) => requests.begin(...args),
      endRequest: (owner, key, answer) => requests.end(owner, key, answer ?? undefined),
      writeAudit: (lines) => this.given.sink.write(lines),
      who: () => this.sessions(),
    };
  }
}
