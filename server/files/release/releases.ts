/** What happens after an upload became visible: a command, an event. Nobody waits for it, and nothing of it can undo the upload. */
import { spawn } from 'node:child_process';
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge';
import type { Audit } from '../../audit/event';
import type { ServerConfig } from '../../config';
import { type ReleasedUpload, releaseEvent } from './event';
import { Queue } from './queue';

export class Releases {
  private readonly queue: Queue;
  private readonly events: EventBridgeClient | undefined;

  constructor(
    private readonly config: ServerConfig['afterRelease'],
    private readonly audit: Audit,
  ) {
    this.queue = new Queue(config.commandsAtOnce);
    if (config.eventBus !== undefined) this.events = new EventBridgeClient({ maxAttempts: 6 });
  }

  /** Never throws; what fails is audited. */
  announce(upload: ReleasedUpload): void {
    const { command, eventBus } = this.config;
    if (command) this.queue.add(() => this.audited('command', upload, () => this.run(command, upload)));
    if (eventBus !== undefined) this.queue.add(() => this.audited('event', upload, () => this.publish(eventBus, upload)));
  }

  /** Fulfilled when everything that was announced is done. */
  async close(): Promise<void> {
    await this.queue.idle();
    this.events?.destroy();
  }

  private async audited(what: 'command' | 'event', { user, path, session }: ReleasedUpload, act: () => Promise<void>): Promise<void> {
    const startedAt = performance.now();
    const reason = await act().then(
      () => undefined,
      (error: Error) => error.message,
    );
    const seconds = (performance.now() - startedAt) / 1000;
    this.audit.record({ kind: 'after-release', what, outcome: reason === undefined ? 'success' : 'failure', user, path, session, seconds, reason });
  }

  /** Starts the program by itself: no shell reads a name that a client chose. */
  private run([program, ...args]: readonly string[], upload: ReleasedUpload): Promise<void> {
    return new Promise((resolve, reject) => {
      const child = spawn(program!, args, { stdio: 'ignore', shell: false, cwd: '/', env: environmentOf(upload) });
      let late = false;
      const timer = setTimeout(() => {
        late = true;
        child.kill('SIGKILL');
      }, this.config.commandSeconds * 1000);
      child.on('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      child.on('exit', (code, signal) => {
        clearTimeout(timer);
        if (code === 0) resolve();
        else reject(new Error(late ? `killed after ${this.config.commandSeconds} seconds` : signal ? `ended by ${signal}` : `exit code ${code}`));
      });
    });
  }

  private async publish(bus: string, upload: ReleasedUpload): Promise<void> {
    const { Entries } = await this.events!.send(new PutEventsCommand({ Entries: [releaseEvent(bus, upload)] }));
    const refused = Entries?.find(({ ErrorCode }) => ErrorCode !== undefined);
    if (refused) throw new Error(`EventBridge refused the event: ${refused.ErrorCode}`);
  }
}

/** Nothing of the server's own environment, which may hold credentials, but where programs are found. */
function environmentOf({ user, path, file, bytes, sha256, client, session }: ReleasedUpload): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    FTPS_USER: user,
    FTPS_PATH: path,
    FTPS_FILE: file,
    FTPS_BYTES: String(bytes),
    FTPS_SHA256: sha256 ?? '',
    FTPS_CLIENT: client,
    FTPS_SESSION: session,
  };
}
