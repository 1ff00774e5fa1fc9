/**
 * One request of a partner's: a message, or the receipt of one that we sent. A message is opened while it comes; its payloads lie where nobody sees them
 * until all of it was found good, and the receipt is sent when they are in the inbox and written down.
 *
 * A crash at any point leaves either nothing, and the partner sends again, or a record that says which files were about to appear: those that are there were
 * delivered, and are not delivered again.
 */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import type { SessionFacts } from '../../audit/event';
import type { As2Partner } from '../../config';
import type { AccountFiles } from '../../files/account-files';
import { Progress, TransferError } from '../../files/progress';
import type { HttpExchange } from '../../http/exchange';
import { Disconnected } from '../../http/inflow';
import { Pieces } from '../../http/pieces';
import type { Account } from '../../identity/identity';
import { accountOf, filesOf, mayComeFrom } from '../agreement';
import { COMMAND, isThere } from '../folders';
import { as2Names, type Headers, type Layer, MessageFailure, type Opened, openMessage, type ReceiptRequest, receiptRequest } from '../message';
import type { MessageRecord, Owner, RecordedPayload, RecordedReceipt } from '../records';
import { Delivery } from './delivery';
import type { ReceivingParts } from './parts';
import { makeReceipt, refusalOf } from './receipt';

/** So long another instance may be in the middle of delivering; its record counts as left by a crash then. */
const DELIVERING_MS = 60_000;
/** So long a message waits for the same one on another connection. */
const WAIT_MS = 10_000;
const LOOK_AGAIN_MS = 100;
/** Of a message of nobody that we know, so much is read and thrown away. Bytes. */
const MOST_OF_STRANGERS = 1024 * 1024;
const RETRY_AFTER = { 'retry-after': '60' };
const TEXT = { 'content-type': 'text/plain; charset=utf-8' };

/** A request that is answered without a receipt. */
class Refused extends Error {
  constructor(
    readonly status: number,
    /** One word for the audit. */
    readonly reason: string,
    /** For the partner. */
    text: string,
    readonly headers: Readonly<Record<string, string>> = {},
  ) {
    super(text);
  }
}

/** Who sends, as whom. */
interface Known {
  readonly partner: As2Partner;
  readonly account: Account;
  readonly files: AccountFiles;
  readonly facts: SessionFacts;
}

/** How a message ended, for the answer and the audit. */
interface Ending {
  readonly opened?: Opened;
  readonly payloads: readonly RecordedPayload[];
  readonly failure?: MessageFailure;
  readonly receipt?: RecordedReceipt;
  /** It had come before. */
  readonly isRepeated?: true;
}

export class Receiving {
  private readonly headers: Headers;
  private readonly request: ReceiptRequest;
  private readonly pieces: Pieces;
  private readonly progress = new Progress();
  private messageId = '';
  private from = '';

  constructor(
    private readonly parts: ReceivingParts,
    private readonly exchange: HttpExchange,
  ) {
    const { head, body, caller } = exchange;
    const { messageBytes } = parts.config.as2;
    this.headers = Object.fromEntries(head.headers);
    this.request = receiptRequest(this.headers);
    // What S/MIME adds to its content is less than this: base64 within base64.
    const most = messageBytes * 2;
    const tooLong = () => new MessageFailure('unexpected-processing-error', `the message has more than ${most} bytes`);
    this.pieces = new Pieces(body, { stallSeconds: caller.stallSeconds, most, tooLong });
  }

  async answer(): Promise<void> {
    const { head, reply, caller } = this.exchange;
    try {
      if (head.method !== 'POST') throw new Refused(405, 'method', 'Messages are sent by POST.', { allow: 'POST' });
      await this.take();
    } catch (error) {
      if (error instanceof Disconnected) throw error;
      const refused = error instanceof Refused ? error : new Refused(503, 'unavailable', 'The server had an error of its own; try again.', RETRY_AFTER);
      caller.refused(head, refused.status, refused.reason);
      if (reply.state === 'open') reply.send(refused.status, { ...TEXT, ...refused.headers }, `${refused.message}\n`);
    }
  }

  private async take(): Promise<void> {
    const { identity, partners } = this.parts.config.as2;
    this.messageId = idIn(this.headers);
    let names: { readonly from: string; readonly to: string };
    try {
      names = as2Names(this.headers);
    } catch (error) {
      throw error instanceof MessageFailure ? new Refused(400, error.disposition, 'AS2-From and AS2-To have to be there, and to differ.') : error;
    }
    this.from = names.from;
    const partner = partners.find(({ as2Id }) => as2Id === names.from);
    if (names.to !== identity.as2Id) return this.refuseStranger(new MessageFailure('unknown-trading-partner', `there is no ${names.to} here`));
    if (!partner) return this.refuseStranger(new MessageFailure('unknown-trading-relationship', `there is no partner ${names.from}`));
    const account = await accountOf(this.parts, partner).catch(() => {
      throw new Refused(503, 'account-unavailable', 'Messages are not taken at the moment; try again later.', RETRY_AFTER);
    });
    const { caller } = this.exchange;
    if (!mayComeFrom(account, caller.address)) throw new Refused(403, 'address-not-allowed', 'Messages are not taken from this address.');
    const { limits } = this.parts;
    // Beside those of the account: who only names a partner keeps it from nothing else. (Names of accounts have no blanks.)
    const place = `messages of ${account.user}`;
    if (!(await limits.admitAccount(place, account.maxSessions)))
      throw new Refused(503, 'too-many-sessions', 'There are too many messages at once; try again later.', RETRY_AFTER);
    const over = caller.begins(COMMAND, partner.inbox, this.progress);
    this.progress.signal.addEventListener('abort', () => void this.exchange.body.cut());
    try {
      const facts: SessionFacts = { ...caller.facts, protocol: 'as2', user: account.user };
      await this.takeOf({ partner, account, facts, files: await filesOf(this.parts, account, facts) });
    } finally {
      over();
      limits.releaseAccount(place);
    }
  }

  private async takeOf(known: Known): Promise<void> {
    const { partner } = known;
    const { request } = this;
    const { deliverTo } = request;
    if (request.wanted && deliverTo !== undefined) {
      const refusal = refusalOf(deliverTo, partner);
      if (refusal !== undefined) throw new Refused(403, 'receipt-address', `The address for the receipt ${refusal}.`);
    }
    const ending =
      request.wanted && request.impossible
        ? await this.failed(
            known,
            new MessageFailure(request.signed ? 'unsupported MIC-algorithms' : 'unsupported format', 'the receipt can not be signed as it has to be'),
            'by-anybody',
          )
        : await this.open(known);
    await this.reply(known, ending);
  }

  /** Reads the message, and delivers what is in it. */
  private async open(known: Known): Promise<Ending> {
    const { partner, files } = known;
    const before = await this.settled(known);
    const already = new Map((before?.state === 'partial' ? before.payloads : []).map((payload) => [payload.index, payload]));
    const isRepeated = before?.state === 'done';
    const delivery = new Delivery({ files, inbox: partner.inbox, messageId: this.messageId, already, onlyCompares: isRepeated });
    const { signers } = this.parts.keys.of(partner);
    const kept = new Kept(this.parts.config.as2.keepMessageBytes);
    let opened: Opened;
    try {
      opened = await openMessage(
        this.headers,
        kept.watching(this.counted()),
        {
          decryption: this.parts.keys.decryption,
          signers,
          policy: {
            mustSign: partner.require.signed,
            mustEncrypt: partner.require.encrypted,
            digests: partner.digests,
            ciphers: partner.ciphers,
            allowExpired: partner.allowExpired,
          },
          micAlgorithms: this.request.micAlgorithms,
        },
        { payloadBytes: this.parts.config.as2.messageBytes },
        (payload) => delivery.take(payload),
      );
    } catch (error) {
      await delivery.giveUp(error);
      return this.failed(known, this.failureOf(error), 'by-anybody');
    }
    if (opened.receipt) {
      await delivery.giveUp(new MessageFailure('unsupported format', 'a receipt has no payloads'));
      return this.takeReceipt(known, opened, kept);
    }
    if (opened.signed) await this.exchange.caller.proven(known.account.user);
    if (isRepeated) return this.repeated(known, before, delivery, opened);
    return this.deliver(known, opened, delivery, kept, before);
  }

  private async deliver(known: Known, opened: Opened, delivery: Delivery, kept: Kept, before: MessageRecord | undefined): Promise<Ending> {
    const { records } = this.parts;
    const receipt = await this.receiptFor(known, { mic: opened.mic });
    const record: MessageRecord = {
      ...this.recordOf(known, opened, delivery.payloads),
      state: 'delivering',
      owner: this.parts.owner,
      disposition: 'processed',
      receipt,
    };
    const { delivering } = this.parts;
    const key = this.keyOf(known.partner.as2Id);
    const isFirst = !delivering.has(key);
    if (isFirst) delivering.add(key);
    try {
      // Written down before anything appears: after a crash the files that are there were delivered.
      // What was known of it may be old by now: it may have come on another connection, and be done.
      const isNew =
        isFirst && (before ? (await records.read('received', known.partner.as2Id, this.messageId))?.state !== 'done' : await records.create(record));
      if (isNew && before) await records.replace(record);
      if (!isNew) {
        await delivery.giveUp(new MessageFailure('unexpected-processing-error', 'the same message has come on another connection'));
        return await this.again(known, delivery, opened);
      }
      const { delivered, failed } = await delivery.commit();
      if (failed) return await this.notStored(known, record, opened, delivered, failed.reason ?? 'could not be stored');
      if (receipt?.deliverTo !== undefined) await this.parts.receipts.add(known.partner, this.messageId, receipt);
      const { owner: _, ...done } = record;
      await records.replace({ ...done, state: 'done' });
      await kept.write(this.headers, (bytes) => records.keepMessage(record, bytes)).catch(() => {}); // the record itself is there
    } finally {
      if (isFirst) delivering.delete(key);
    }
    return { opened, payloads: delivery.payloads, receipt };
  }

  /** Infected, beyond the quota, or a disk that is full: what is in the inbox already stays noted, so that the next try does not deliver it again. */
  private async notStored(known: Known, record: MessageRecord, opened: Opened, delivered: readonly RecordedPayload[], reason: string): Promise<Ending> {
    const failure = new MessageFailure('unexpected-processing-error', reason);
    if (delivered.length > 0) await this.parts.records.replace({ ...record, state: 'partial', payloads: delivered });
    else await this.parts.records.replace({ ...record, state: 'failed', payloads: [], disposition: failure.disposition, detail: reason, receipt: undefined });
    return { ...(await this.failed(known, failure)), opened };
  }

  /** The same message was faster on another connection. */
  private async again(known: Known, delivery: Delivery, opened: Opened): Promise<Ending> {
    const before = await this.settled(known);
    if (before?.state !== 'done') throw new Refused(503, 'delivering', 'The same message is just being delivered; try again later.', RETRY_AFTER);
    return this.repeated(known, before, delivery, opened);
  }

  /** It was delivered before: the same receipt, where it is the same message. */
  private async repeated(known: Known, before: MessageRecord, delivery: Delivery, opened: Opened): Promise<Ending> {
    const sums = (payloads: readonly RecordedPayload[]) => payloads.map(({ sha256 }) => sha256).join(' ');
    if (sums(before.payloads) !== sums(delivery.payloads))
      return { ...(await this.failed(known, new MessageFailure('duplicate-document', 'another message had this Message-ID'))), opened, isRepeated: true };
    const receipt = before.receipt ?? (await this.receiptFor(known, { mic: opened.mic }));
    if (receipt?.deliverTo !== undefined) await this.parts.receipts.add(known.partner, this.messageId, receipt);
    return { opened, payloads: before.payloads, receipt, isRepeated: true };
  }

  /**
   * What is known of the message from before; undefined where it is new. Who is in the middle of delivering it is waited for. What a crash left is put
   * right: those of its files that are there were delivered.
   */
  private async settled({ partner, files }: Known): Promise<MessageRecord | undefined> {
    for (const until = Date.now() + WAIT_MS; ; await sleep(LOOK_AGAIN_MS)) {
      const record = await this.parts.records.read('received', partner.as2Id, this.messageId);
      if (record?.state !== 'delivering') {
        if (!this.parts.delivering.has(this.keyOf(partner.as2Id))) return record;
      } else if (!this.isUnderWay(record)) {
        const there = await Promise.all(record.payloads.map(async (payload) => ((await isThere(files, payload.path)) ? payload : undefined)));
        const delivered = there.filter((one) => one !== undefined);
        if (delivered.length < record.payloads.length || record.payloads.length === 0) return { ...record, state: 'partial', payloads: delivered };
        const { owner: _, ...rest } = record;
        const done: MessageRecord = { ...rest, state: 'done' };
        if (done.receipt?.deliverTo !== undefined) await this.parts.receipts.add(partner, this.messageId, done.receipt);
        await this.parts.records.replace(done);
        return done;
      }
      if (Date.now() >= until) throw new Refused(503, 'delivering', 'The same message is just being delivered; try again later.', RETRY_AFTER);
    }
  }

  /** By which this process knows that it is delivering the message. */
  private keyOf(partner: string): string {
    return `${partner} ${this.messageId}`;
  }

  private isUnderWay({ owner, at, partner }: MessageRecord): boolean {
    if (!owner || Date.now() - Date.parse(at) > DELIVERING_MS) return false;
    const own = this.parts.owner;
    if (owner.host !== own.host) return true;
    return owner.pid === own.pid ? this.parts.delivering.has(this.keyOf(partner)) : isAlive(owner);
  }

  private async takeReceipt({ partner }: Known, opened: Opened, kept: Kept): Promise<Ending> {
    const body = kept.whole;
    const raw = body && { messageId: this.messageId, headers: { 'Content-Type': String(this.headers['content-type'] ?? '') }, body: body.toString('base64') };
    const taken = await this.parts.answers.take(partner, opened, raw);
    if (!taken) throw new Refused(404, 'unknown-message', 'Nobody waits for this receipt.');
    return { opened, payloads: [] };
  }

  /** `sent`: whether nothing in the message shows that it is the partner's. */
  private async failed(known: Known, failure: MessageFailure, sent?: 'by-anybody'): Promise<Ending> {
    await this.pieces.passOver();
    const receipt = await this.receiptFor(known, { failure });
    if (receipt?.deliverTo !== undefined) {
      const { receipts } = this.parts;
      await (sent === 'by-anybody' ? receipts.addUnproven(known.partner, this.messageId, receipt) : receipts.add(known.partner, this.messageId, receipt));
    }
    return { payloads: [], failure, receipt };
  }

  /** What openMessage threw, as the receipt says it. Throws where there is nobody to tell. */
  private failureOf(error: unknown): MessageFailure {
    if (error instanceof MessageFailure) return error;
    if (error instanceof TransferError && (error.code === 'cut' || error.code === 'stalled' || error.code === 'aborted')) throw new Disconnected();
    return new MessageFailure('unexpected-processing-error', error instanceof Error ? error.message : String(error), { cause: error });
  }

  private async receiptFor(
    { partner }: Pick<Known, 'partner'>,
    { failure, mic }: { readonly failure?: MessageFailure; readonly mic?: Opened['mic'] },
  ): Promise<RecordedReceipt | undefined> {
    const { request, messageId } = this;
    if (!request.wanted) return undefined;
    return makeReceipt(this.parts.keys, {
      own: this.parts.config.as2.identity.as2Id,
      partner: partner.as2Id,
      messageId,
      request,
      failure,
      mic,
      deliverTo: request.deliverTo,
    });
  }

  /** Nobody that we know, or not us: told so where it asks in the answer, and never by a request of ours. */
  private async refuseStranger(failure: MessageFailure): Promise<void> {
    const { head, body, reply, caller } = this.exchange;
    const isShort = (body.length ?? Number.POSITIVE_INFINITY) <= MOST_OF_STRANGERS;
    if (isShort) await this.pieces.passOver();
    const { request, messageId } = this;
    caller.refused(head, request.wanted ? 200 : 403, failure.disposition);
    if (!request.wanted || request.deliverTo !== undefined) return reply.send(403, TEXT, `${failure.disposition}\n`);
    const receipt = await makeReceipt(this.parts.keys, { own: this.parts.config.as2.identity.as2Id, partner: this.from, messageId, request, failure });
    reply.send(200, receipt.headers, Buffer.from(receipt.body, 'base64'));
  }

  private async reply(known: Known, ending: Ending): Promise<void> {
    const { head, reply } = this.exchange;
    const { receipt, failure, opened, payloads, isRepeated } = ending;
    const inAnswer = receipt && receipt.deliverTo === undefined;
    const status = failure && !receipt ? (failure.disposition === 'unexpected-processing-error' ? 500 : 403) : 200;
    this.parts.audit.record({
      kind: 'as2-message',
      direction: 'received',
      partner: known.partner.as2Id,
      messageId: this.messageId,
      outcome: failure ? 'failure' : 'success',
      what: opened?.receipt ? 'receipt' : isRepeated ? 'repeated message' : 'message',
      disposition: opened?.receipt ? opened.receipt.disposition : (failure?.disposition ?? 'processed'),
      layers: opened && layersOf(opened).join(', '),
      mic: opened && `${opened.mic.value}, ${opened.mic.name}`,
      bytes: payloads.reduce((sum, { bytes }) => sum + bytes, 0),
      receipt: !receipt ? 'none' : inAnswer ? 'sync' : 'async',
      path: head.path,
      status,
      detail: failure?.message,
      ...known.facts,
    });
    if (inAnswer) reply.send(status, receipt.headers, Buffer.from(receipt.body, 'base64'));
    else reply.send(status, TEXT, failure && !receipt ? `${failure.disposition}\n` : '');
    if (receipt?.deliverTo !== undefined) this.parts.receipts.poke();
  }

  private recordOf({ partner, account, facts }: Known, opened: Opened, payloads: readonly RecordedPayload[]): Omit<MessageRecord, 'state' | 'disposition'> {
    return {
      direction: 'received',
      partner: partner.as2Id,
      own: this.parts.config.as2.identity.as2Id,
      account: account.user,
      messageId: this.messageId,
      at: new Date().toISOString(),
      layers: layersOf(opened),
      signer: opened.signer?.fingerprint256.replaceAll(':', '').toLowerCase(),
      payloads,
      mic: opened.mic,
      session: facts.session,
      address: facts.client.address,
    };
  }

  private async *counted(): AsyncIterable<Buffer> {
    for await (const piece of this.pieces) {
      this.progress.bytes += piece.length;
      yield piece;
    }
  }
}

/** A message while it is short enough to be kept as it came. */
class Kept {
  private pieces: Buffer[] | undefined = [];
  private bytes = 0;

  constructor(private readonly most: number) {}

  async *watching(body: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    for await (const piece of body) {
      this.bytes += piece.length;
      if (this.bytes > this.most) this.pieces = undefined;
      this.pieces?.push(piece);
      yield piece;
    }
  }

  /** Undefined where it was too long. */
  get whole(): Buffer | undefined {
    return this.pieces && Buffer.concat(this.pieces);
  }

  async write(headers: Headers, keep: (bytes: Buffer) => Promise<void>): Promise<void> {
    if (!this.pieces || this.most === 0) return;
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
    await keep(Buffer.concat([Buffer.from(`${lines.join('')}\r\n`, 'latin1'), ...this.pieces]));
  }
}

export function layersOf({ layers }: Opened): string[] {
  return layers.map((layer: Layer) =>
    layer.kind === 'encrypted' ? `encrypted ${layer.cipher}` : layer.kind === 'signed' ? `signed ${layer.digest}` : 'compressed',
  );
}

/** One that has none gets one that nobody else has: it can't be known again. */
function idIn(headers: Headers): string {
  const id = headers['message-id'];
  return typeof id === 'string' && /^[\x20-\x7e]{1,998}$/.test(id) ? id.trim() : `<${randomUUID()}@without.message-id>`;
}

function isAlive({ pid }: Owner): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

export const ownOwner = (): Owner => ({ host: hostname(), pid: process.pid });
