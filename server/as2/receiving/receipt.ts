/** Receipts that we give (MDN, RFC 4130 section 7): what they say, how they are signed, and where they may go. */
import { randomUUID } from 'node:crypto';
import type { As2Partner } from '../../config';
import type { Keys } from '../keys';
import { type Digest, type MessageFailure, type Mic, type ReceiptRequest, writeAs2Name, writeReceipt } from '../message';
import type { RecordedReceipt } from '../records';

const DIGESTS: Readonly<Record<string, Digest>> = { sha1: 'sha1', sha256: 'sha256', sha384: 'sha384', sha512: 'sha512' };

/** What the answer says for people. */
const TAKEN = 'The message was received and taken.';

export interface Receipting {
  readonly own: string;
  readonly partner: string;
  readonly messageId: string;
  readonly request: ReceiptRequest;
  readonly failure?: MessageFailure;
  readonly mic?: Mic;
  readonly deliverTo?: string;
}

export async function makeReceipt(keys: Keys, { own, partner, messageId, request, failure, mic, deliverTo }: Receipting): Promise<RecordedReceipt> {
  const id = newMessageId(own);
  const written = await writeReceipt({
    messageId: id,
    originalMessageId: messageId,
    finalRecipient: own,
    failure: failure?.disposition,
    text: failure ? `The message was not taken: ${failure.disposition}.\r\n` : `${TAKEN}\r\n`,
    mic,
    sign: request.signed ? { by: keys.signing, ...signatureFor(request.micAlgorithms) } : undefined,
  });
  return {
    messageId: id,
    headers: { ...as2Headers({ from: own, to: partner, messageId: id, subject: 'Receipt' }), ...written.headers },
    body: written.body.toString('base64'),
    deliverTo,
  };
}

/** By the digest that the partner would rather have. */
function signatureFor(names: readonly string[]): { readonly digest: Digest; readonly micName?: string } {
  for (const name of names) {
    const digest = DIGESTS[name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')];
    if (digest) return { digest, micName: name };
  }
  return { digest: 'sha256' };
}

/** Headers of AS2 (RFC 4130 section 6). */
export function as2Headers({
  from,
  to,
  messageId,
  subject,
}: {
  readonly from: string;
  readonly to: string;
  readonly messageId: string;
  readonly subject: string;
}): Record<string, string> {
  return {
    'AS2-Version': '1.2',
    'AS2-From': writeAs2Name(from),
    'AS2-To': writeAs2Name(to),
    'Message-ID': messageId,
    'EDIINT-Features': 'multiple-attachments',
    Subject: subject,
    'MIME-Version': '1.0',
  };
}

export function newMessageId(own: string): string {
  return `<${randomUUID()}@${own.replaceAll(/[^\w.-]/g, '-')}>`;
}

/** Why an asynchronous receipt may not go to an address; undefined where it may: a message is no way to have this server send requests to whom its sender likes. */
export function refusalOf(address: string, { url, receiptHosts, allowPlainHttp }: As2Partner): string | undefined {
  let asked: URL;
  try {
    asked = new URL(address);
  } catch {
    return 'is no address';
  }
  if (asked.protocol !== 'https:' && !(asked.protocol === 'http:' && allowPlainHttp)) return 'is not https';
  if (asked.username !== '' || asked.password !== '') return 'has a name or password in it';
  const own = url === undefined ? undefined : new URL(url).host.toLowerCase();
  const hosts = receiptHosts.map((host) => host.toLowerCase());
  return asked.host.toLowerCase() === own || hosts.includes(asked.host.toLowerCase()) || hosts.includes(asked.hostname.toLowerCase())
    ? undefined
    : 'is at a host that is neither that of the partner nor one of receiptHosts';
}
