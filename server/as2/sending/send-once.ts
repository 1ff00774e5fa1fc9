/** One attempt to send a message: its files read, sealed and sent as they are read, or out of what was sealed before, and what the partner answered. */
import { randomUUID } from 'node:crypto';
import type { SessionFacts } from '../../audit/event';
import { type As2Partner, plainAddress } from '../../config';
import { StorageError } from '../../files/account-files';
import type { Account } from '../../identity/identity';
import { filesOf } from '../agreement';
import type { As2Parts } from '../engine';
import type { Keys } from '../keys';
import { askReceipt, type Digest, type Mic, openMessage, sealMessage } from '../message';
import { as2Headers } from '../receiving/receipt';
import { type Answer, answerOf } from './answers';
import type { Job, Kept } from './job';
import { type KeptMessages, sealedBy } from './keeping';
import { Payloads } from './payloads';
import { type Answered, type Post, post } from './post';
import { sendKept } from './send-kept';

const NAMES: Readonly<Record<Digest, string>> = { sha1: 'sha1', sha256: 'sha-256', sha384: 'sha-384', sha512: 'sha-512' };

export interface Attempt {
  readonly partner: As2Partner;
  readonly account: Account;
  readonly job: Job;
  readonly signal: AbortSignal;
  /** Writes down what became of a message that is kept while it is sent. Absent where it is not. */
  readonly note?: (kept: Kept) => Promise<void>;
}

interface Taken {
  readonly mics: readonly Mic[];
  /** SHA-256 of the payloads, in the order of the message. */
  readonly digests: readonly string[];
}

export type Sent =
  | { readonly kind: 'failed'; readonly detail: string }
  | ({ readonly kind: 'answered'; readonly answer: Answer } & Taken)
  | ({ readonly kind: 'awaiting' | 'unreceipted' } & Taken);

/** Never rejected but where the storage fails. */
export async function sendOnce(
  parts: As2Parts & { readonly keys: Keys; readonly messages: KeptMessages },
  { partner, account, job, signal, note }: Attempt,
): Promise<Sent> {
  const { send } = partner;
  // Told in the audit with the download; filled in when there is a connection.
  const facts: { -readonly [Key in keyof SessionFacts]: SessionFacts[Key] } = {
    session: randomUUID(),
    protocol: 'as2',
    listener: 'as2',
    client: { address: '127.0.0.1', port: 0 },
    server: { address: '127.0.0.1', port: 0 },
    user: account.user,
  };
  const asked = (ofMessage: Readonly<Record<string, string>>): Omit<Post, 'body'> => ({
    url: partner.url!,
    headers: { ...headersOf(parts, partner, job), ...ofMessage },
    signal,
    onConnected: ({ localAddress, localPort, remoteAddress, remotePort }) => {
      facts.client = { address: plainAddress(remoteAddress ?? '127.0.0.1'), port: remotePort ?? 0 };
      facts.server = { address: plainAddress(localAddress ?? '127.0.0.1'), port: localPort ?? 0 };
    },
  });
  const { encryption } = parts.keys.of(partner);
  const by = sealedBy(send, partner.digests, parts.keys.signing.certificate.fingerprint256, encryption?.fingerprint256);
  const keptBefore = note && job.kept?.by === by && (await parts.messages.isThere(job, job.kept)) ? job.kept : undefined;
  const fromKept = (kept: Kept, wasSent: boolean) => sendKept({ parts, partner, job, kept, wasSent, asked, note: note! });
  if (keptBefore) {
    const { answered, isWhole } = await fromKept(keptBefore, true).catch((error: Error) => ({ answered: error, isWhole: false }));
    if (answered instanceof Error) return { kind: 'failed', detail: answered.message };
    return failureOf(answered, isWhole) ?? outcomeOf(parts, partner, answered, keptBefore);
  }
  const files = await filesOf(parts, account, facts);
  const payloads = await Payloads.open(files, job, send);
  const digest: Digest = send.sign || 'sha256';
  let answered: Answered;
  let isWhole = true;
  let kept: Kept | undefined;
  let mics: Promise<readonly Mic[]>;
  try {
    const sealed = sealMessage(payloads.outgoing, {
      messageId: job.messageId,
      sign: send.sign ? { by: parts.keys.signing, digest: send.sign } : undefined,
      encrypt: send.encrypt && encryption ? { for: [encryption], cipher: send.encrypt, transport: send.keyTransport } : undefined,
      compress: send.compress === 'off' ? undefined : send.compress,
      ...(send.base64 ? { payloadEncoding: 'base64', layerEncoding: 'base64' } : {}),
      micAlgorithm: digest,
      furtherMics: partner.digests.filter((one) => one !== digest),
    });
    mics = sealed.mics;
    mics.catch(() => {}); // awaited where there is an answer
    if (note) {
      try {
        kept = await parts.messages.keep(job, sealed, by, () => payloads.digests, signal);
      } catch (error) {
        if (!(error instanceof StorageError)) throw error;
        // Where there is no room for it, it goes as any other.
        await payloads.abort();
        await parts.messages.remove(job);
        return sendOnce(parts, { partner, account, job, signal });
      }
      if (!payloads.isAll) throw new Error('the file ended early');
      await note(kept);
      ({ answered, isWhole } = await fromKept(kept, false));
    } else answered = await post({ ...asked(sealed.headers), body: sealed.body }, partner);
  } catch (error) {
    await payloads.abort();
    return { kind: 'failed', detail: (error as Error).message };
  }
  const failure = failureOf(answered, isWhole && payloads.isAll);
  if (failure) {
    await payloads.abort();
    return failure;
  }
  await payloads.close();
  return outcomeOf(parts, partner, answered, kept ?? { mics: await mics, digests: payloads.digests });
}

/** Headers of a message but for those of its content. */
function headersOf({ config }: As2Parts, { as2Id, send, receipt }: As2Partner, { messageId }: Job): Record<string, string> {
  const { identity } = config.as2;
  return {
    ...as2Headers({ from: identity.as2Id, to: as2Id, messageId, subject: send.subject }),
    Date: new Date().toUTCString(),
    ...(receipt.kind === 'none'
      ? {}
      : askReceipt({
          to: identity.url ?? `${identity.as2Id.replaceAll(/[^\w.-]/g, '-')}@as2.invalid`,
          signed: receipt.signed,
          micAlgorithms: [NAMES[send.sign || 'sha256']],
          deliverTo: receipt.kind === 'async' ? identity.url : undefined,
        })),
  };
}

/** Undefined where the partner has all, and says so. */
function failureOf({ status }: Answered, isWhole: boolean): Sent | undefined {
  const isGood = status >= 200 && status <= 299;
  if (isGood && isWhole) return undefined;
  return { kind: 'failed', detail: isGood ? 'the partner answered before it had all' : `the partner answered ${status}` };
}

async function outcomeOf(parts: As2Parts & { readonly keys: Keys }, partner: As2Partner, answered: Answered, { mics, digests }: Taken): Promise<Sent> {
  const taken: Taken = { mics, digests };
  const { receipt } = partner;
  if (receipt.kind === 'async') return { kind: 'awaiting', ...taken };
  if (receipt.kind === 'none') return { kind: 'unreceipted', ...taken };
  const answer = await receiptIn(parts, partner, answered);
  return typeof answer === 'string' ? { kind: 'failed', detail: answer } : { kind: 'answered', answer, ...taken };
}

/** The receipt in an answer; why there is none, where there is none. */
async function receiptIn(parts: As2Parts & { readonly keys: Keys }, partner: As2Partner, { headers, body }: Answered): Promise<Answer | string> {
  const { signers } = parts.keys.of(partner);
  try {
    const opened = await openMessage(
      headers,
      inOnePiece(body),
      {
        decryption: parts.keys.decryption,
        signers,
        policy: { mustSign: false, mustEncrypt: false, digests: partner.digests, ciphers: partner.ciphers, allowExpired: partner.allowExpired },
      },
      { payloadBytes: body.length + 1 },
      async () => {},
    );
    if (!opened.receipt) return 'the answer is no receipt';
    const raw = { messageId: textOf(headers['message-id']), headers: { 'Content-Type': textOf(headers['content-type']) }, body: body.toString('base64') };
    return answerOf(opened, raw);
  } catch (error) {
    return `the receipt can't be read: ${(error as Error).message}`;
  }
}

async function* inOnePiece(bytes: Buffer): AsyncIterable<Buffer> {
  if (bytes.length > 0) yield bytes;
}

function textOf(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : '';
}
