/** One attempt to send a file: read, sealed and sent as it is read, and what the partner answered. */
import { createHash, randomUUID } from 'node:crypto';
import type { SessionFacts } from '../../audit/event';
import { type As2Partner, plainAddress } from '../../config';
import type { Reading } from '../../files/account-files';
import type { Account } from '../../identity/identity';
import { filesOf } from '../agreement';
import type { As2Parts } from '../engine';
import { COMMAND } from '../folders';
import type { Keys } from '../keys';
import { askReceipt, type Digest, type Mic, openMessage, sealMessage } from '../message';
import { as2Headers } from '../receiving/receipt';
import { type Answer, answerOf } from './answers';
import type { Job } from './job';
import { type Answered, post } from './post';

/** Read at a time. Bytes. */
const PIECE = 256 * 1024;
const NAMES: Readonly<Record<Digest, string>> = { sha1: 'sha1', sha256: 'sha-256', sha384: 'sha-384', sha512: 'sha-512' };

export interface Attempt {
  readonly partner: As2Partner;
  readonly account: Account;
  readonly job: Job;
  readonly signal: AbortSignal;
}

interface Taken {
  readonly mics: readonly Mic[];
  readonly sha256: string;
}

export type Sent =
  | { readonly kind: 'failed'; readonly detail: string }
  | ({ readonly kind: 'answered'; readonly answer: Answer } & Taken)
  | ({ readonly kind: 'awaiting' | 'unreceipted' } & Taken);

/** Never rejected but where the storage fails. */
export async function sendOnce(parts: As2Parts & { readonly keys: Keys }, { partner, account, job, signal }: Attempt): Promise<Sent> {
  const { send, receipt } = partner;
  const { identity } = parts.config.as2;
  // Told in the audit with the download; filled in when there is a connection.
  const facts: { -readonly [Key in keyof SessionFacts]: SessionFacts[Key] } = {
    session: randomUUID(),
    protocol: 'as2',
    listener: 'as2',
    client: { address: '127.0.0.1', port: 0 },
    server: { address: '127.0.0.1', port: 0 },
    user: account.user,
  };
  const files = await filesOf(parts, account, facts);
  const reading = await files.openReading(COMMAND, job.path);
  const hash = createHash('sha256');
  const { encryption } = parts.keys.of(partner);
  const digest: Digest = send.sign || 'sha256';
  let answered: Answered;
  let mics: Promise<readonly Mic[]>;
  try {
    const sealed = sealMessage(
      [{ name: job.path.slice(job.path.lastIndexOf('/') + 1), contentType: send.contentType, body: bytesOf(reading, hash), size: reading.size }],
      {
        messageId: job.messageId,
        sign: send.sign ? { by: parts.keys.signing, digest: send.sign } : undefined,
        encrypt: send.encrypt && encryption ? { for: [encryption], cipher: send.encrypt, transport: send.keyTransport } : undefined,
        compress: send.compress === 'off' ? undefined : send.compress,
        ...(send.base64 ? { payloadEncoding: 'base64', layerEncoding: 'base64' } : {}),
        micAlgorithm: digest,
        furtherMics: partner.digests.filter((one) => one !== digest),
      },
    );
    mics = sealed.mics;
    mics.catch(() => {}); // awaited where there is an answer
    const headers = {
      ...as2Headers({ from: identity.as2Id, to: partner.as2Id, messageId: job.messageId, subject: send.subject }),
      Date: new Date().toUTCString(),
      ...(receipt.kind === 'none'
        ? {}
        : askReceipt({
            to: identity.url ?? `${identity.as2Id.replaceAll(/[^\w.-]/g, '-')}@as2.invalid`,
            signed: receipt.signed,
            micAlgorithms: [NAMES[digest]],
            deliverTo: receipt.kind === 'async' ? identity.url : undefined,
          })),
      ...sealed.headers,
    };
    answered = await post(
      {
        url: partner.url!,
        headers,
        body: sealed.body,
        signal,
        onConnected: ({ localAddress, localPort, remoteAddress, remotePort }) => {
          facts.client = { address: plainAddress(remoteAddress ?? '127.0.0.1'), port: remotePort ?? 0 };
          facts.server = { address: plainAddress(localAddress ?? '127.0.0.1'), port: localPort ?? 0 };
        },
      },
      partner,
    );
  } catch (error) {
    await reading.abort();
    return { kind: 'failed', detail: (error as Error).message };
  }
  const { status } = answered;
  if (reading.progress.bytes < reading.size || status < 200 || status > 299) {
    await reading.abort();
    return { kind: 'failed', detail: status >= 200 && status <= 299 ? 'the partner answered before it had all' : `the partner answered ${status}` };
  }
  await reading.close();
  const taken: Taken = { mics: await mics, sha256: hash.digest('hex') };
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

async function* bytesOf(reading: Reading, hash: ReturnType<typeof createHash>): AsyncIterable<Buffer> {
  for (let at = 0; at < reading.size; ) {
    const piece = Buffer.allocUnsafeSlow(Math.min(PIECE, reading.size - at));
    const bytes = await reading.read(at, piece);
    if (bytes === 0) return;
    at += bytes;
    const got = piece.subarray(0, bytes);
    hash.update(got);
    yield got;
  }
}

async function* inOnePiece(bytes: Buffer): AsyncIterable<Buffer> {
  if (bytes.length > 0) yield bytes;
}

function textOf(value: string | readonly string[] | undefined): string {
  return typeof value === 'string' ? value : '';
}
