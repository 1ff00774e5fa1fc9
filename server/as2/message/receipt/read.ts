/** Reads a receipt (MDN): a multipart/report that is small and whole. */
import { digestNamed } from '../algorithms';
import { MessageFailure } from '../failure';
import { Inflow } from '../inflow';
import { header, readHeaders, readParameterized } from '../mime/header';
import { Multipart } from '../mime/multipart';
import { decoded } from '../mime/transfer';
import type { Headers, Mic, Receipt } from '../types';

/** Parts of a report: text, fields, and perhaps what it is about. */
const MOST_PARTS = 8;

/** @param inflow the multipart @param headerBytes the most that a part may have of headers */
export async function readReceipt(inflow: Inflow, boundary: string | undefined, headerBytes: number): Promise<Receipt> {
  const parts = new Multipart(inflow, boundary);
  let text = '';
  let fields: Headers | undefined;
  let hasNext = await parts.first();
  for (let count = 0; hasNext; count++) {
    if (count === MOST_PARTS) throw new MessageFailure('unexpected-processing-error', 'a receipt has too many parts');
    const part = new Inflow(parts.content());
    const headers = readHeaders(await part.headerBlock(headerBytes));
    const { value } = readParameterized(header(headers, 'content-type') ?? 'text/plain');
    const pieces: Buffer[] = [];
    for await (const piece of decoded(headers, part.rest())) pieces.push(piece);
    await part.drain();
    const content = Buffer.concat(pieces);
    if (value === 'message/disposition-notification') fields ??= readFields(content);
    else if (value === 'text/plain' && text === '') text = content.toString('utf8').trim();
    hasNext = parts.hasNext;
  }
  if (!fields) throw new MessageFailure('unexpected-processing-error', 'a report has no disposition-notification');
  return receiptOf(fields, text);
}

/** Empty lines among the fields separate nothing here: some peers begin with one. */
function readFields(content: Buffer): Headers {
  return readHeaders(content);
}

function receiptOf(fields: Headers, text: string): Receipt {
  const disposition = header(fields, 'disposition') ?? '';
  const type = disposition.slice(disposition.indexOf(';') + 1).trim();
  const slash = type.search(/[/:]/);
  const kind = (slash < 0 ? type : type.slice(0, slash)).trim().toLowerCase();
  const modifier =
    slash < 0
      ? undefined
      : type
          .slice(slash + 1)
          .trim()
          .replace(/\s*:\s*/, ': ')
          .toLowerCase();
  return {
    text,
    originalMessageId: header(fields, 'original-message-id'),
    finalRecipient: header(fields, 'final-recipient')
      ?.replace(/^[^;]*;/, '')
      .trim(),
    reportingUa: header(fields, 'reporting-ua'),
    disposition,
    processed: kind === 'processed' && (modifier === undefined || modifier.startsWith('warning')),
    modifier,
    mic: readMic(header(fields, 'received-content-mic')),
    fields,
  };
}

/** `base64, algorithm`; a peer that names no algorithm means SHA-1. */
function readMic(text: string | undefined): Mic | undefined {
  if (text === undefined) return undefined;
  const comma = text.lastIndexOf(',');
  const name = comma < 0 ? 'sha1' : text.slice(comma + 1).trim();
  const algorithm = digestNamed(name);
  return algorithm && { algorithm, name, value: (comma < 0 ? text : text.slice(0, comma)).replace(/\s+/g, '') };
}
