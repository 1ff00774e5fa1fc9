/**
 * Sends what lies in the outboxes of partners, a file or a folder a message. One process of all does it, the one that holds the lease. Each step is written down before the next: a crash
 * repeats the last one, with the same Message-ID, by which the partner knows what it has already.
 */
import { randomUUID } from 'node:crypto';
import type { As2Partner } from '../../config';
import { type AccountFiles, StorageError } from '../../files/account-files';
import type { Account } from '../../identity/identity';
import { accountOf, filesOf } from '../agreement';
import type { As2Parts } from '../engine';
import { makeFolders } from '../folders';
import type { Keys } from '../keys';
import { newMessageId } from '../receiving/receipt';
import type { ReceiptQueue } from '../receiving/receipt-queue';
import type { Records } from '../records';
import type { KeptBodies } from '../restart/kept-bodies';
import type { Answer, Answers } from './answers';
import { type Job, type Jobs, type Kept, payloadsOf, withDigests } from './job';
import { judge } from './judge';
import type { KeptMessages } from './keeping';
import { leave } from './leaving';
import { changeOf, type Found, Outbox } from './outbox';
import { sendOnce } from './send-once';

export interface SenderParts extends As2Parts {
  readonly keys: Keys;
  readonly records: Records;
  readonly jobs: Jobs;
  readonly answers: Answers;
  readonly receipts: ReceiptQueue;
  /** What comes of long messages, and what goes of them. */
  readonly bodies: KeptBodies;
  readonly messages: KeptMessages;
  /** Messages that came and were not delivered whole. */
  readonly unfinished: { round(): Promise<void> };
  readonly isLeader: () => boolean;
}

/** Messages on their way at once, and to one partner. */
const AT_ONCE = 8;
const AT_ONCE_OF_PARTNER = 2;
/** How often what is due is looked at. */
const TICK_MS = 1_000;
/** How often receipts and records are looked through. */
const ROUND_MS = 5_000;
/** What can't go on for a reason of our own is looked at again after that long. */
const TROUBLE_MS = 30_000;
const SWEEP_MS = 24 * 3_600_000;
/** How often what is kept of long messages is looked through. */
const SWEEP_KEPT_MS = 3_600_000;
const UNFINISHED_MS = 3_600_000;

export class Sender {
  /** By their path and partner; read when the lease was got. */
  private jobs: Map<string, Job> | undefined;
  private readonly running = new Map<string, Promise<void>>();
  private readonly failing = new Map<string, string>();
  /** By their partner. */
  private readonly outboxes = new Map<string, Outbox>();
  private readonly closing = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private ticking: Promise<void> | undefined;
  private scannedAt = 0;
  private roundAt = 0;
  private sweptAt = 0;
  private sweptKeptAt = 0;
  private unfinishedAt = 0;

  constructor(private readonly parts: SenderParts) {}

  start(): void {
    this.timer = setInterval(() => this.tick(), TICK_MS).unref();
    this.tick();
  }

  /** Something may have changed: the outboxes are looked at now. */
  poke(): void {
    this.scannedAt = 0;
    this.roundAt = 0;
    this.tick();
  }

  /** Partners to whom the last attempt failed, and what waits for them. */
  get states(): Readonly<Record<string, string>> {
    const jobs = [...(this.jobs?.values() ?? [])];
    return Object.fromEntries(
      [...this.failing].map(([partner, why]) => {
        const waiting = jobs.filter((job) => job.partner === partner).length;
        return [`AS2 ${partner}`, `down: ${why}${waiting > 0 ? `; ${waiting} messages wait` : ''}`];
      }),
    );
  }

  /** What is under way is broken off, and sent again by whoever comes next. */
  async close(): Promise<void> {
    clearInterval(this.timer);
    this.closing.abort();
    await this.ticking;
    await Promise.all(this.running.values());
  }

  private tick(): void {
    if (this.ticking || this.closing.signal.aborted) return;
    this.ticking = this.step()
      .catch((error: Error) => {
        this.jobs = undefined; // what is on the disk counts
        this.parts.audit.record({ kind: 'health', part: 'as2', state: 'down', detail: error.message });
      })
      .finally(() => {
        this.ticking = undefined;
      });
  }

  private async step(): Promise<void> {
    if (!this.parts.isLeader()) {
      this.jobs = undefined;
      return;
    }
    this.jobs ??= new Map((await this.parts.jobs.all()).map((job) => [keyOf(job), job]));
    const now = Date.now();
    if (now - this.scannedAt >= this.parts.config.as2.outboxSeconds * 1000) {
      this.scannedAt = now;
      for (const partner of this.parts.config.as2.partners) if (partner.url !== undefined) await this.scan(partner);
    }
    if (now - this.roundAt >= ROUND_MS) {
      this.roundAt = now;
      await this.parts.receipts.round();
      await this.lookForAnswers();
    }
    if (now - this.sweptAt >= SWEEP_MS) {
      this.sweptAt = now;
      await this.parts.records.sweep();
    }
    if (now - this.sweptKeptAt >= SWEEP_KEPT_MS) {
      this.sweptKeptAt = now;
      await this.parts.bodies.sweep();
      await this.parts.messages.sweep(this.jobs.values());
    }
    if (now - this.unfinishedAt >= UNFINISHED_MS) {
      this.unfinishedAt = now;
      await this.parts.unfinished.round();
    }
    for (const job of this.jobs.values()) {
      if (job.nextAt > now || this.running.has(keyOf(job)) || this.running.size >= AT_ONCE) continue;
      const ofPartner = [...this.running.keys()].filter((key) => key.startsWith(`${JSON.stringify(job.partner)} `)).length;
      if (ofPartner < AT_ONCE_OF_PARTNER) this.run(job);
    }
  }

  private run(job: Job): void {
    const key = keyOf(job);
    const run = this.advance(job)
      .catch((error: Error) => {
        // The account or the storage, and not the partner: no attempt counts.
        this.failing.set(job.partner, error.message);
        this.parts.audit.record({ kind: 'health', part: 'as2', state: 'down', detail: `${job.path} to ${job.partner}: ${error.message}` });
        this.jobs?.set(key, { ...(this.jobs.get(key) ?? job), nextAt: Date.now() + TROUBLE_MS });
      })
      .finally(() => {
        this.running.delete(key);
        this.tick();
      });
    this.running.set(key, run);
  }

  /** Writes down what is in the outbox and not known yet. */
  private async scan(partner: As2Partner): Promise<void> {
    let files: AccountFiles;
    try {
      files = (await this.open(partner)).files;
    } catch (error) {
      this.failing.set(partner.as2Id, (error as Error).message);
      return;
    }
    let found: Found[] = [];
    try {
      found = await this.outboxOf(partner).look(files);
    } catch (error) {
      if (!(error instanceof StorageError) || (error.code !== 'not-found' && error.code !== 'not-directory')) throw error;
      await makeFolders(files, partner.outbox);
    }
    for (const one of found)
      await this.keep({
        partner: partner.as2Id,
        messageId: newMessageId(this.parts.config.as2.identity.as2Id),
        ...one,
        since: new Date().toISOString(),
        attempts: 0,
        nextAt: 0,
        state: 'due',
      });
  }

  private outboxOf(partner: As2Partner): Outbox {
    const known = this.outboxes.get(partner.as2Id);
    if (known) return known;
    const { partners } = this.parts.config.as2;
    const outbox = new Outbox({
      folder: partner.outbox,
      isKnown: (path) => this.jobs?.has(keyOf({ partner: partner.as2Id, path })) ?? false,
      others: partners.flatMap(({ account, inbox, outbox: folder, sent, failed }) => (account === partner.account ? [inbox, folder, sent, failed] : [])),
      onWaiting: (path, detail) =>
        this.parts.audit.record({
          kind: 'as2-delivery',
          what: 'message',
          partner: partner.as2Id,
          user: partner.account,
          outcome: 'failure',
          state: 'incomplete',
          path,
          detail,
        }),
    });
    this.outboxes.set(partner.as2Id, outbox);
    return outbox;
  }

  private async lookForAnswers(): Promise<void> {
    for (const job of this.jobs?.values() ?? []) {
      if (job.state !== 'awaiting' || this.running.has(keyOf(job))) continue;
      if (await this.parts.answers.read(job.partner, job.messageId)) this.run(job);
    }
  }

  private async advance(job: Job): Promise<void> {
    const partner = this.parts.config.as2.partners.find(({ as2Id }) => as2Id === job.partner);
    if (!partner) return this.drop(job); // no partner any more; the file stays where it is
    if (job.state === 'moving') return this.move(partner, job);
    if (job.state === 'awaiting') {
      const answer = await this.parts.answers.read(job.partner, job.messageId);
      if (answer) return this.answered(partner, job, answer);
      return this.failed(partner, job, `no receipt has come within ${partner.receipt.waitSeconds} seconds`);
    }
    const { account, files } = await this.open(partner);
    const change = job.refusal ?? (await changeOf(files, job));
    // Nothing of it has gone: it is looked at anew.
    if (change === 'another' || (change !== undefined && job.begun === undefined && job.refusal === undefined)) {
      await this.drop(job);
      this.scannedAt = 0;
      return;
    }
    // A crash may have come between what is known of the message and the file's leaving.
    const known = job.begun === undefined ? undefined : await this.parts.records.read('sent', job.partner, job.messageId);
    if (known) return this.leave(partner, { ...job, outcome: known.state === 'done' ? 'delivered' : 'failed', detail: known.detail }, known.disposition);
    if (change !== undefined) return this.over(partner, job, { outcome: 'failed', disposition: 'none', detail: change });
    const isKept = await this.parts.messages.isFor(partner, job, this.jobs?.values() ?? []);
    let begun: Job = { ...job, begun: (job.begun ?? 0) + 1, ...(isKept && { isKept }) };
    await this.keep(begun);
    // An attempt that brings a long message further is none of those that got nowhere.
    const note = async (kept: Kept) => {
      begun = { ...begun, kept, attempts: kept.reached > (begun.kept?.reached ?? 0) ? 0 : begun.attempts };
      await this.keep(begun);
    };
    const sent = await sendOnce(this.parts, { partner, account, job: begun, signal: this.closing.signal, note: isKept ? note : undefined });
    if (this.closing.signal.aborted) return;
    if (sent.kind === 'failed') return this.failed(partner, begun, sent.detail);
    const after: Job = { ...withDigests(begun, sent.digests), mics: sent.mics, attempts: begun.attempts + 1, detail: undefined };
    this.failing.delete(partner.as2Id);
    if (sent.kind === 'awaiting') {
      await this.keep({ ...after, state: 'awaiting', nextAt: Date.now() + partner.receipt.waitSeconds * 1000 });
      this.tell(partner, after, 'success', 'awaiting', 'sent; its receipt is to come by itself');
      this.roundAt = 0;
    } else if (sent.kind === 'answered') await this.answered(partner, after, sent.answer, begun);
    else await this.over(partner, after, { outcome: 'delivered', disposition: 'none', detail: 'no receipt was asked for' });
  }

  /** `before`: the job as it was before this attempt ended. */
  private async answered(partner: As2Partner, job: Job, answer: Answer, before = job): Promise<void> {
    const { outcome, disposition, detail } = judge(answer, job.mics ?? [], partner, (job.begun ?? job.attempts) > 1);
    if (outcome !== 'unproven') return this.over(partner, job, { outcome, disposition, detail }, answer);
    await this.parts.answers.remove(job.partner, job.messageId);
    await this.failed(partner, before, detail ?? disposition);
  }

  /** What became of the message is known: written down as evidence, and the file leaves the outbox. */
  private async over(
    partner: As2Partner,
    job: Job,
    { outcome, disposition, detail }: { readonly outcome: 'delivered' | 'failed'; readonly disposition: string; readonly detail?: string },
    answer?: Answer,
  ): Promise<void> {
    await this.parts.records.replace({
      direction: 'sent',
      partner: partner.as2Id,
      own: this.parts.config.as2.identity.as2Id,
      account: partner.account,
      messageId: job.messageId,
      at: new Date().toISOString(),
      state: outcome === 'delivered' ? 'done' : 'failed',
      layers: [],
      signer: answer?.signer,
      payloads: payloadsOf(job).map(({ name, path, size, sha256 = '' }, index) => ({ index, name, path, bytes: size, sha256 })),
      mic: job.mics?.[0],
      disposition,
      detail,
      receipt: answer?.raw,
      session: '',
      address: partner.url ?? '',
    });
    await this.leave(partner, { ...job, outcome, detail }, disposition);
  }

  private async leave(partner: As2Partner, job: Job & { readonly outcome: 'delivered' | 'failed' }, disposition: string): Promise<void> {
    const { outcome, detail } = job;
    const moving: Job = { ...job, state: 'moving', nextAt: 0 };
    await this.keep(moving);
    this.tell(partner, moving, outcome === 'delivered' ? 'success' : 'failure', outcome, detail, disposition);
    if (outcome === 'failed') this.failing.set(partner.as2Id, detail ?? disposition);
    await this.move(partner, moving);
  }

  private async move(partner: As2Partner, job: Job): Promise<void> {
    const { files } = await this.open(partner);
    await leave(job, {
      files,
      to: job.outcome === 'delivered' ? partner.sent : partner.failed,
      keepTarget: (target) => this.keep({ ...job, target }),
    });
    await this.parts.answers.remove(job.partner, job.messageId);
    await this.drop(job);
  }

  /** The partner could not be reached, or did not say what became of it. */
  private async failed(partner: As2Partner, job: Job, detail: string): Promise<void> {
    const { attempts: most, firstSeconds, longestSeconds } = partner.retry;
    const attempts = job.state === 'awaiting' ? job.attempts : job.attempts + 1;
    this.failing.set(partner.as2Id, detail);
    if (attempts >= most) return this.over(partner, { ...job, attempts }, { outcome: 'failed', disposition: 'none', detail });
    const wait = Math.min(longestSeconds, firstSeconds * 2 ** (attempts - 1)) * 1000;
    const waiting: Job = { ...job, attempts, state: 'due', detail, nextAt: Date.now() + wait };
    await this.keep(waiting);
    this.tell(partner, waiting, 'failure', 'waiting', detail);
  }

  private tell(partner: As2Partner, job: Job, outcome: 'success' | 'failure', state: string, detail?: string, disposition?: string): void {
    const { messageId, path, size } = job;
    this.parts.audit.record({
      kind: 'as2-delivery',
      what: 'message',
      partner: partner.as2Id,
      user: partner.account,
      messageId,
      outcome,
      state,
      path,
      bytes: size,
      payloads: payloadsOf(job).map((one) => ({ name: one.name, bytes: one.size, sha256: one.sha256 })),
      disposition,
      detail,
    });
  }

  private async open(partner: As2Partner): Promise<{ readonly account: Account; readonly files: AccountFiles }> {
    const account = await accountOf(this.parts, partner);
    const nowhere = { address: '127.0.0.1', port: 0 };
    const facts = { session: randomUUID(), protocol: 'as2', listener: 'as2', client: nowhere, server: nowhere, user: account.user } as const;
    return { account, files: await filesOf(this.parts, account, facts) };
  }

  private async keep(job: Job): Promise<void> {
    await this.parts.jobs.write(job);
    this.jobs?.set(keyOf(job), job);
  }

  private async drop(job: Job): Promise<void> {
    if (job.isKept) await this.parts.messages.remove(job);
    await this.parts.jobs.remove(job);
    this.jobs?.delete(keyOf(job));
  }
}

function keyOf({ partner, path }: Pick<Job, 'partner' | 'path'>): string {
  return `${JSON.stringify(partner)} ${path}`;
}
