/** Writes the audit: one OCSF line an event, in order, in few writes. What can't be written stops the service. */
import type { WriteStream } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { version } from '../../package.json';
import { Chain } from './chain';
import type { Audit, ServerEvent } from './event';
import { type FileEvents, type FileSettings, openFile } from './file';
import { lineOf, type Repeats } from './ocsf';
import type { Target } from './target';

/** Lines that wait for a slow disk, in characters; beyond that the audit has failed. */
const MOST_WAITING = 64 * 1024 * 1024;

/** So often lines are written at most: to a server that is busy with small things a write costs more than the lines in it. Milliseconds. */
const GATHERED_MS = 2;

export interface AuditSink extends Audit {
  /** `time`: when it was, where it is told later; milliseconds since 1970. `repeats`: where it stands for several. */
  record(event: ServerEvent, said?: { readonly time?: number; readonly repeats?: Repeats }): void;
  /** Writes lines that another process made. Rejected, after `onFailure`, where they can't be written. */
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
  let failed = false;

  const fail = (error: Error) => {
    if (failed) return;
    failed = true;
    onFailure(error);
  };

  const drain = async () => {
    // One turn of the event loop gathers what one moment brings.
    await new Promise((resolve) => setImmediate(resolve));
    while (waiting !== '') {
      const batch = waiting;
      waiting = '';
      await Promise.all([target.write(batch), sleep(GATHERED_MS)]);
    }
  };

  const record: AuditSink['record'] = (event, { time = Date.now(), repeats } = {}) => {
    sequence += 1;
    waiting += `${chain.link(lineOf(event, { time, repeats, sequence, productVersion: version }))}\n`;
    if (waiting.length > MOST_WAITING) fail(new Error('the audit is written more slowly than events come'));
    writing ??= drain()
      .catch(fail)
      .finally(() => {
        writing = undefined;
      });
  };

  const flush = async () => {
    while (writing) await writing;
  };

  return {
    get failed() {
      return failed;
    },
    record,
    write: (lines) =>
      target.write(lines).catch((error: Error) => {
        fail(error);
        throw error;
      }),
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
