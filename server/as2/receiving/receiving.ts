/**
 * One request of a partner's: a message, or the receipt of one that we sent. A message is opened while it comes; its payloads lie where nobody sees them
 * until all of it was found good, and the receipt is sent when they are in the inbox and written down.
 */
import { randomUUID } from 'node:crypto';
import type { As2Partner } from '../../config';
import { type Outcome, StorageError } from '../../files/account-files';
import { Progress, TransferError } from '../../files/progress';
import type { HttpExchange } from '../../http/exchange';
import { Disconnected } from '../../http/inflow';
import { Pieces } from '../../http/pieces';
import type { Account } from '../../identity/identity';
import { clientKey } from '../../limits/client-key';
import { accountOf, filesOf, mayComeFrom } from '../agreement';
import { COMMAND } from '../folders';
import { as2Names, type Headers, MessageFailure, type Opened, openMessage, type ReceiptRequest, receiptRequest } from '../message';
import type { MessageRecord, RecordedPayload, RecordedReceipt } from '../records';
import { bytesKept, type Incoming, incoming, WrongRange } from '../restart/incoming';
import { UNSIGNED } from '../sending/judge';
import { Delivery } from './delivery';
import { Kept } from './kept';
import { journalOf, type ReceivingParts } from './parts';
import { makeReceipt, refusalOf } from './receipt';
import { busy, byPost, RETRY_AFTER, Refused, refusedFor, refusedRange } from './refused';
import { type Ending, eventOf, type Facts, type Known, recordOf, statusOf } from './taken';

/** Of a message of nobody that we know, so much is read and thrown away. Bytes. */
const MOST_OF_STRANGERS = 1024 * 1024;
const TEXT = { 'content-type': 'text/plain; charset=utf-8' };

export class Receiving {
  private readonly headers: Headers;
  private readonly request: ReceiptRequest;
  private readonly pieces: Pieces;
  private readonly progress = new Progress();
  /** The longest message that is taken. Bytes. */
  private readonly most: number;
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
    this.most = most;
    const tooLong = () => new MessageFailure('unexpected-processing-error', `the message has more than ${most} bytes`);
    this.pieces = new Pieces(body, { stallSeconds: caller.stallSeconds, most, tooLong });
  }

  async answer(): Promise<void> {
    const { head, reply, caller } = this.exchange;
    try {
      if (head.method === 'HEAD') await this.tellKept();
      else if (head.method === 'POST') await this.take();
      else throw byPost();
    } catch (error) {
      if (error instanceof Disconnected) throw error;
      const refused = refusedFor(error);
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
    await this.admitted(partner, async (account) => {
      const { caller } = this.exchange;
      const over = caller.begins(COMMAND, partner.inbox, this.progress);
      this.progress.signal.addEventListener('abort', () => void this.exchange.body.cut());
      try {
        const facts: Facts = { ...caller.facts, protocol: 'as2', user: account.user, isUnproven: true };
        await this.takeOf({
          partner,
          account,
          facts,
          files: await filesOf(this.parts, account, facts),
          journal: journalOf(this.parts, partner.as2Id, this.messageId),
        });
      } finally {
        over();
      }
    });
  }

  /** Does it while the account of the partner takes messages, from there, and has a place for one. */
  private async admitted(partner: As2Partner, act: (account: Account) => Promise<void>): Promise<void> {
    const account = await accountOf(this.parts, partner).catch(() => {
      throw new Refused(503, 'account-unavailable', 'Messages are not taken at the moment; try again later.', RETRY_AFTER);
    });
    if (!mayComeFrom(account, this.exchange.caller.address)) throw new Refused(403, 'address-not-allowed', 'Messages are not taken from this address.');
    const { limits } = this.parts;
    const place = placeOf(account);
    if (!(await limits.admitAccount(place, account.maxSessions)))
      throw new Refused(503, 'too-many-sessions', 'There are too many messages at once; try again later.', RETRY_AFTER);
    try {
      await act(account);
    } finally {
      limits.releaseAccount(place);
    }
  }

  /** How much of a message has come before (draft-harding-as2-restart-07 section 3.2). To whom that is not agreed on with, it is a method like any other. */
  private async tellKept(): Promise<void> {
    const { identity, partners } = this.parts.config.as2;
    let partner: As2Partner | undefined;
    try {
      const { from, to } = as2Names(this.headers);
      partner = to === identity.as2Id ? partners.find(({ as2Id, restart }) => as2Id === from && restart.receive) : undefined;
    } catch {
      throw byPost();
    }
    if (!partner) throw byPost();
    const known = partner;
    await this.admitted(known, async () => {
      const bytes = await bytesKept({ bodies: this.parts.bodies, headers: this.headers, partner: known });
      this.exchange.reply.send(200, { 'content-length': String(bytes) });
    });
  }

  private async takeOf(known: Known): Promise<void> {
    const { partner } = known;
    const { request } = this;
    const { deliverTo } = request;
    if (request.wanted && deliverTo !== undefined) {
      const refusal = refusalOf(deliverTo, partner);
      if (refusal !== undefined) throw new Refused(403, 'receipt-address', `The address for the receipt ${refusal}.`);
    }
    const { bodies } = this.parts;
    const body = await incoming({ bodies, headers: this.headers, length: this.exchange.body.length, partner, most: this.most, messageId: this.messageId });
    let how: Parameters<Incoming['ended']>[0] = 'not';
    try {
      const ending = await this.endingOf(known, body);
      await this.reply(known, ending);
      how = ending.failure ? 'refused' : 'taken';
    } finally {
      await body.ended(how).catch(() => {}); // the sweep finds it
    }
  }

  private endingOf(known: Known, body: Incoming): Promise<Ending> {
    const { request } = this;
    if (request.wanted && request.impossible)
      return this.failed(
        known,
        new MessageFailure(request.signed ? 'unsupported MIC-algorithms' : 'unsupported format', 'the receipt can not be signed as it has to be'),
        'by-anybody',
      );
    return body.isOver ? this.unheard(known) : this.open(known, body);
  }

  /** The message was taken, and its sender did not hear the answer. */
  private async unheard(known: Known): Promise<Ending> {
    await this.pieces.passOver();
    const before = await known.journal.settled(known.files);
    if (before?.state !== 'done') throw new WrongRange(0, 'Nothing of such a message is kept.');
    const receipt = before.receipt ?? (await this.receiptFor(known, { mic: before.mic }));
    if (receipt?.deliverTo !== undefined) await this.parts.receipts.addUnproven(known.partner, this.messageId, receipt);
    return { payloads: before.payloads, receipt, isRepeated: true };
  }

  /** Reads the message, and delivers what is in it. */
  private async open(known: Known, body: Incoming): Promise<Ending> {
    const { partner, files, journal } = known;
    const before = await journal.settled(files);
    const already = new Map((before?.state === 'partial' ? before.payloads : []).map((payload) => [payload.index, payload]));
    const isRepeated = before?.state === 'done';
    const delivery = new Delivery({
      files,
      prepared: this.parts.files.prepared,
      inbox: partner.inbox,
      messageId: this.messageId,
      naming: this.parts.naming,
      user: known.account.user,
      partner: partner.as2Id,
      already,
      onlyCompares: isRepeated,
    });
    const { signers } = this.parts.keys.of(partner);
    const kept = new Kept(this.parts.config.as2.keepMessageBytes);
    let opened: Opened;
    try {
      opened = await openMessage(
        this.headers,
        kept.watching(body.whole(this.counted())),
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
          turn: () => this.parts.newcomers.turn(this.exchange.caller.address),
        },
        { payloadBytes: this.parts.config.as2.messageBytes },
        (payload) => delivery.take(payload),
      );
    } catch (error) {
      await delivery.giveUp(error);
      return this.failed(known, this.failureOf(error), 'by-anybody');
    }
    known.facts.isUnproven = false;
    if (opened.receipt) {
      await delivery.giveUp(new MessageFailure('unsupported format', 'a receipt has no payloads'));
      return this.takeReceipt(known, opened, kept);
    }
    // Under a name of its own: whoever has recorded a message can send it again, and is not the account for it.
    if (opened.signed) await this.exchange.caller.proven(placeOf(known.account));
    if (isRepeated) return this.repeated(known, before, delivery, opened);
    return this.deliver(known, opened, delivery, kept, before);
  }

  private async deliver(known: Known, opened: Opened, delivery: Delivery, kept: Kept, before: MessageRecord | undefined): Promise<Ending> {
    const { journal } = known;
    const { messageId } = this;
    const { config } = this.parts;
    const receipt = await this.receiptFor(known, { mic: opened.mic });
    const unfit = await delivery.prepare();
    const record = {
      ...recordOf(known, opened, { payloads: delivery.payloads, messageId, own: config.as2.identity.as2Id }),
      disposition: 'processed',
      receipt,
    };
    if (unfit) {
      const ending = await this.notStored(known, opened, unfit);
      await journal.refused({ ...record, state: 'failed' }, ending.failure!.disposition, ending.failure!.message);
      return ending;
    }
    const deliver = async (begun: MessageRecord): Promise<Ending | undefined> => {
      const { delivered, failed } = await delivery.commit();
      if (failed) return this.notAll(known, begun, { opened, delivery, delivered, failed });
      if (!(await journal.done(begun))) return undefined;
      await kept.write(this.headers, (bytes) => this.parts.records.keepMessage(begun, bytes)).catch(() => {}); // the record itself is there
      return { opened, payloads: delivery.payloads, receipt };
    };
    const ending = await journal.deliver({ ...record, state: 'delivering' }, before, deliver).catch(async (error: unknown) => {
      await delivery.breakOff(error); // whether the record was written is not known
      throw error;
    });
    if (ending) return ending;
    await delivery.giveUp(new MessageFailure('unexpected-processing-error', 'the same message has come on another connection'));
    return this.again(known, delivery, opened);
  }

  /** Something failed at the last moment. */
  private async notAll(
    known: Known,
    begun: MessageRecord,
    { opened, delivery, delivered, failed }: { opened: Opened; delivery: Delivery; delivered: readonly RecordedPayload[]; failed: Outcome },
  ): Promise<Ending> {
    const { journal } = known;
    const reason = failed.reason ?? 'could not be stored';
    if (delivered.length > 0) await journal.partly(begun, delivered);
    else await journal.failed(begun, 'unexpected-processing-error', reason);
    await delivery.withdraw();
    // Somebody else was faster with the name: the next try finds another.
    if (failed.error instanceof StorageError && failed.error.code === 'exists') throw busy();
    return this.notStored(known, opened, failed);
  }

  /** Infected, beyond the quota, or a disk that is full. */
  private async notStored(known: Known, opened: Opened, { reason }: Outcome): Promise<Ending> {
    return { ...(await this.failed(known, new MessageFailure('unexpected-processing-error', reason ?? 'could not be stored'))), opened };
  }

  /** The same message was faster on another connection. */
  private async again(known: Known, delivery: Delivery, opened: Opened): Promise<Ending> {
    const before = await known.journal.settled(known.files);
    if (before?.state !== 'done') throw busy();
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

  private async takeReceipt({ partner, facts }: Known, opened: Opened, kept: Kept): Promise<Ending> {
    const body = kept.whole;
    const raw = body && { messageId: this.messageId, headers: { 'Content-Type': String(this.headers['content-type'] ?? '') }, body: body.toString('base64') };
    const taken = await this.parts.answers.take(partner, opened, raw);
    if (taken === 'unknown') throw new Refused(404, 'unknown-message', 'Nobody waits for this receipt.');
    if (taken === 'taken') return { opened, payloads: [] };
    facts.isUnproven = true;
    const failure = new MessageFailure('insufficient-message-security', `${UNSIGNED}, and counts for nothing: ${opened.receipt!.text.trim().slice(0, 500)}`);
    return { opened, payloads: [], failure };
  }

  /** `sent`: whether nothing in the message shows that it is the partner's. */
  private async failed(known: Known, failure: MessageFailure, sent?: 'by-anybody'): Promise<Ending> {
    await this.pieces.passOver();
    const make = () => this.receiptFor(known, { failure });
    const receipt = await (sent === 'by-anybody' ? this.inTurn(make) : make());
    if (receipt?.deliverTo !== undefined) {
      const { receipts } = this.parts;
      await (sent === 'by-anybody' ? receipts.addUnproven(known.partner, this.messageId, receipt) : receipts.add(known.partner, this.messageId, receipt));
    }
    return { payloads: [], failure, receipt };
  }

  /** What openMessage threw, as the receipt says it. Throws where there is nobody to tell. */
  private failureOf(error: unknown): MessageFailure {
    if (error instanceof MessageFailure) return error;
    if (refusedRange(error)) throw error;
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
    const own = this.parts.config.as2.identity.as2Id;
    const receipt = await this.inTurn(() => makeReceipt(this.parts.keys, { own, partner: this.from, messageId, request, failure }));
    reply.send(200, receipt.headers, Buffer.from(receipt.body, 'base64'));
  }

  /** Has a receipt made that anybody may have asked for: signing is done in threads that read and write everybody's files, of which strangers have one. */
  private async inTurn<T>(make: () => Promise<T>): Promise<T> {
    const { caller } = this.exchange;
    const giveBack = await this.parts.strangersReceipts.take(clientKey(caller.address), caller.gone).catch(() => {
      throw new Disconnected();
    });
    try {
      return await make();
    } finally {
      giveBack();
    }
  }

  private async reply(known: Known, ending: Ending): Promise<void> {
    const { head, reply } = this.exchange;
    const { receipt, failure } = ending;
    const inAnswer = receipt && receipt.deliverTo === undefined;
    const status = statusOf(ending);
    this.parts.audit.record(eventOf(known, ending, { messageId: this.messageId, path: head.path }));
    if (inAnswer) reply.send(status, receipt.headers, Buffer.from(receipt.body, 'base64'));
    else reply.send(status, TEXT, failure && !receipt ? `${failure.disposition}\n` : '');
    if (receipt?.deliverTo !== undefined) this.parts.receipts.poke();
  }

  private async *counted(): AsyncIterable<Buffer> {
    for await (const piece of this.pieces) {
      this.progress.bytes += piece.length;
      yield piece;
    }
  }
}

/** What messages of a partner are counted under, beside its account: who only names a partner keeps it from nothing else. (Names of accounts have no blanks.) */
function placeOf({ user }: Account): string {
  return `messages of ${user}`;
}

/** One that has none gets one that nobody else has: it can't be known again. */
function idIn(headers: Headers): string {
  const id = headers['message-id'];
  return typeof id === 'string' && /^[\x20-\x7e]{1,998}$/.test(id) ? id.trim() : `<${randomUUID()}@without.message-id>`;
}
