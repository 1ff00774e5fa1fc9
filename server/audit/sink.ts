/** Writes the audit: one OCSF line an event, in order, in few writes. What can't be written stops the service. */
import type { WriteStream } from 'node:fs';
import { version } from '../../package.json';
import { Chain } from './chain';
import type { Audit, ServerEvent } from './event';
import { type FileEvents, type FileSettings, openFile } from './file';
import { lineOf } from './ocsf';
import type { Repeats } from './ocsf/base-event';
import type { Target } from './target';

/** Lines that wait for a slow disk, in characters; beyond that the audit has failed. */
const MOST_WAITING = 64 * 1024 * 1024;

/** So long a line waits for others before they are written together: to a server that is busy with small things a write costs more than the lines in it. Milliseconds. */
const GATHERED_MS = 2;
/** The same for what tells how a data connection came about: the line of its transfer is soon to come, and takes it along. */
const ON_THE_WAY_MS = 20;

export interface AuditSink extends Audit {
  /** `time`: when it was, where it is told later; milliseconds since 1970. `repeats`: where it stands for several. */
  record(event: ServerEvent, said?: { readonly time?: number; readonly repeats?: Repeats }): void;
  /** Writes lines that another process made. Rejected, after `onFailure`, where they or any before can't be written. */
  write(lines: string): Promise<void>;
  /** Opens the file anew, after a log rotation has moved it away. */
  reopen(): Promise<void>;
}

/** Opens what the settings name. Throws where it can't be written. */
export async function openTarget(settings: FileSettings, events?: FileEvents): Promise<Target> {
  return settings.destination === '-' ? standardOutput() : openFile(settings, events);
}

/** An audit into a target that is open. What can't be written calls `onFailure`, once. */
export function openAudit(target: Target, onFailure: (error: Error) => void): AuditSink {
  const chain = new Chain();
  let sequence = 0;
  let waiting = '';
  let writing: Promise<void> | undefined;
  /** Set while nothing is to be written yet, and when that is over. */
  let timer: NodeJS.Timeout | undefined;
  let due = 0;
  let failed = false;

  const fail = (error: Error) => {
    if (failed) return;
    failed = true;
    onFailure(error);
  };

  const drain = async () => {
    while (waiting !== '' && !timer) {
      const batch = waiting;
      waiting = '';
      await target.write(batch);
    }
  };

  /** Begins to write what waits. */
  const write = () => {
    clearTimeout(timer);
    timer = undefined;
    writing ??= drain()
      .catch(fail)
      .finally(() => {
        writing = undefined;
        if (waiting !== '' && !timer) write();
      });
  };

  const writeIn = (milliseconds: number) => {
    const at = performance.now() + milliseconds;
    if (timer && due <= at) return;
    clearTimeout(timer);
    due = at;
    timer = setTimeout(write, milliseconds);
  };

  const record: AuditSink['record'] = (event, { time = Date.now(), repeats } = {}) => {
    sequence += 1;
    waiting += `${chain.link(lineOf(event, { time, repeats, sequence, productVersion: version }))}\n`;
    if (waiting.length > MOST_WAITING) fail(new Error('the audit is written more slowly than events come'));
    writeIn(isOnTheWay(event) ? ON_THE_WAY_MS : GATHERED_MS);
  };

  const flush = async () => {
    while (writing || waiting !== '') {
      write();
      await writing;
    }
    await target.settled?.().catch(fail);
  };

  return {
    get failed() {
      return failed;
    },
    record,
    async write(lines) {
      await target.write(lines).catch((error: Error) => {
        fail(error);
        throw error;
      });
      if (failed) throw new Error('what came before could not be written');
    },
    flush,
    reopen: async () => {
      await flush();
      await target.reopen();
    },
    close: async () => {
      await flush();
      await target.close();
    },
  };
}

function isOnTheWay(event: ServerEvent): boolean {
  return event.kind === 'passive-port' || (event.kind === 'tls-established' && event.channel === 'data');
}

function standardOutput(): Target {
  const stream: Pick<WriteStream, 'write'> = process.stdout;
  return {
    write: (text) =>
      new Promise((resolve, reject) => {
        stream.write(text, (error) => (error ? reject(error) : resolve()));
      }),
    reopen: async () => {},
    close: async () => {},
  };
}
