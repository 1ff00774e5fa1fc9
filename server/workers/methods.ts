/** What the primary and its workers call on each other. */
import type { MetricObject } from 'prom-client';
import type { Standing } from '../admin/standing';
import type { ServerConfig } from '../config';
import type { Place } from '../files/release/outbox';
import type { UsageCounts } from '../files/storage/usage-counts';
import type { PasswordChecks } from '../identity/hashing/checks';
import type { Bandwidth } from '../limits/bandwidth';
import type { Busyness } from '../limits/busyness';
import type { Limits } from '../limits/limits';
import type { OpenPort } from '../sessions/protocol';
import type { Requests } from '../sessions/requests';
import type { SessionInfo } from '../sessions/session-info';
import type { SignIns } from '../sessions/sign-ins';

/** The primary keeps what there is once for all workers: limits, lock-outs, quotas, bandwidth, the threads that hash passwords, and the file of the audit. */
// Picked, because an interface does not count as a record of methods.
export type PrimaryMethods = Pick<Limits, keyof Limits> & {
  takeRoom(...args: Parameters<UsageCounts['take']>): ReturnType<UsageCounts['take']>;
  lendRoom(...args: Parameters<UsageCounts['lend']>): ReturnType<UsageCounts['lend']>;
  settleRoom(...args: Parameters<UsageCounts['settle']>): void;
  folderTouched(...args: Parameters<UsageCounts['touched']>): void;
  folderMoved(...args: Parameters<UsageCounts['moved']>): void;
  countingHome(...args: Parameters<UsageCounts['counting']>): ReturnType<UsageCounts['counting']>;
  homeCounted(...args: Parameters<UsageCounts['counted']>): Promise<void>;
  heldRoom(...args: Parameters<UsageCounts['held']>): ReturnType<UsageCounts['held']>;
  /** Fulfilled when the worker has the name; it says itself when it has done with it. */
  lockName(name: string): Promise<void>;
  unlockName(name: string): void;
  takeBandwidth(...args: Parameters<Bandwidth['take']>): ReturnType<Bandwidth['take']>;
  /** Whether transfers keep the worker busy, each time that it changes. */
  foundBusy(...args: Parameters<Busyness['found']>): void;
  checkPassword(...args: Parameters<PasswordChecks['check']>): ReturnType<PasswordChecks['check']>;
  spendCode(...args: Parameters<PasswordChecks['spend']>): ReturnType<PasswordChecks['spend']>;
  beginSignIn(...args: Parameters<SignIns['begin']>): ReturnType<SignIns['begin']>;
  keepSignIn(...args: Parameters<SignIns['keep']>): ReturnType<SignIns['keep']>;
  sealOfSignIn(...args: Parameters<SignIns['sealOf']>): ReturnType<SignIns['sealOf']>;
  findSignIn(...args: Parameters<SignIns['find']>): ReturnType<SignIns['find']>;
  endSignIn(...args: Parameters<SignIns['end']>): ReturnType<SignIns['end']>;
  countRequest(...args: Parameters<Requests['count']>): ReturnType<Requests['count']>;
  beginRequest(...args: Parameters<Requests['begin']>): ReturnType<Requests['begin']>;
  endRequest(...args: Parameters<Requests['end']>): void;
  /** Lines of a worker's audit. Fulfilled when they and all before are written. */
  writeAudit(lines: string): Promise<void>;
  /** The sessions of all workers. */
  who(): Promise<readonly SessionInfo[]>;
};

export interface WorkerStarted {
  readonly listeners: readonly OpenPort[];
  readonly passivePorts: readonly number[];
}

export type WorkerMethods = {
  /** Opens everything, with these passive ports of the range. The first of the workers does the chores of all. */
  start(config: ServerConfig, ports: readonly number[], place: Place): Promise<WorkerStarted>;
  sessions(): readonly SessionInfo[];
  transfers(): number;
  /** Whether transfers keep any of the workers busy, each time that it changes. */
  serverBusy(isBusy: boolean): void;
  parts(): Readonly<Record<string, string>>;
  standing(): Standing | undefined;
  kick(id: string): Promise<boolean>;
  reload(): Promise<boolean>;
  /** Takes no new sessions. Fulfilled when the last one has ended. */
  drain(atOnce: boolean): Promise<void>;
  metrics(): Promise<MetricObject[]>;
};
