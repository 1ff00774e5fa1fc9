/** What an upload needs besides this process: a scanner that answers, and files that can be written. Asked when somebody asks for the server's health. */
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import type { ServerConfig } from '../config';
import { scannerAnswers } from '../files/antivirus/clamd';

/** How long an answer is waited for, and how long it is believed. Milliseconds. */
const WAIT_MS = 5_000;
const BELIEVED_MS = 2_000;

export class UploadNeeds {
  private readonly checks: ReadonlyMap<string, Check>;

  constructor({ antivirus, storage }: Pick<ServerConfig, 'antivirus' | 'storage'>) {
    const checks = new Map<string, Check>();
    // Where files go unscanned without it, an upload needs no scanner.
    if (antivirus.kind === 'clamd' && antivirus.whenUnavailable === 'refuse') checks.set('scanner', new Check(() => scannerAnswers(antivirus, WAIT_MS)));
    if (storage.kind === 'local') checks.set('storage', new Check(() => access(storage.root, constants.W_OK | constants.X_OK)));
    this.checks = checks;
  }

  /** `up`, or `down: ` and why. */
  async states(): Promise<Record<string, string>> {
    return Object.fromEntries(await Promise.all([...this.checks].map(async ([part, check]) => [part, await check.state()] as const)));
  }
}

/** One question, asked once at a time: a file system in the network that hangs keeps one thread, and no more. */
class Check {
  private asked: Promise<string> | undefined;
  private heard: { readonly state: string; readonly until: number } | undefined;

  constructor(private readonly ask: () => Promise<void>) {}

  async state(): Promise<string> {
    if (this.heard && this.heard.until > Date.now()) return this.heard.state;
    this.asked ??= this.ask()
      .then(
        () => 'up',
        (error: Error) => `down: ${error.message}`,
      )
      .finally(() => {
        this.asked = undefined;
      });
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<string>((resolve) => {
      timer = setTimeout(() => resolve('down: no answer'), WAIT_MS);
    });
    const state = await Promise.race([this.asked, late]);
    clearTimeout(timer);
    this.heard = { state, until: Date.now() + BELIEVED_MS };
    return state;
  }
}
