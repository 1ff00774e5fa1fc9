/** Writes a receipt (MDN): multipart/report (RFC 6522, 8098), as RFC 4130 section 7.4 has it. */
import { dispositionField } from '../failure';
import { Digesting } from '../mime/digesting';
import { joined, type Part } from '../mime/part';
import { boundaryFor, signedPart } from '../seal';
import type { ReceiptOptions } from '../types';

/** A receipt with its headers (those of its content, without AS2's own), small and whole. */
export interface WrittenReceipt {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export async function writeReceipt(options: ReceiptOptions): Promise<WrittenReceipt> {
  const boundary = boundaryFor(options.messageId, 'report');
  const lines = [
    `--${boundary}`,
    'Content-Type: text/plain; charset=utf-8',
    'Content-Transfer-Encoding: 8bit',
    '',
    options.text.replace(/\r?\n/g, '\r\n'),
    `--${boundary}`,
    'Content-Type: message/disposition-notification',
    'Content-Transfer-Encoding: 7bit',
    '',
    `Reporting-UA: ${options.reportingUa ?? 'cdk-ftps'}`,
    `Original-Recipient: rfc822; ${oneLine(options.finalRecipient)}`,
    `Final-Recipient: rfc822; ${oneLine(options.finalRecipient)}`,
    `Original-Message-ID: ${oneLine(options.originalMessageId)}`,
    `Disposition: ${dispositionField(options.failure, options.warning)}`,
    ...(options.mic ? [`Received-content-MIC: ${options.mic.value}, ${options.mic.name}`] : []),
    '',
    `--${boundary}--`,
    '',
  ];
  const body = Buffer.from(lines.join('\r\n'), 'utf8');
  const report: Part = {
    headers: [['Content-Type', `multipart/report; report-type=disposition-notification; boundary="${boundary}"`]],
    size: body.length,
    body: joined([body]),
  };
  const part = options.sign ? signedPart(report, options.messageId, options.sign, new Digesting([options.sign.digest], false), undefined) : report;
  const pieces: Buffer[] = [];
  for await (const piece of part.body) pieces.push(piece);
  return { headers: { 'MIME-Version': '1.0', ...Object.fromEntries(part.headers) }, body: Buffer.concat(pieces) };
}

/** What a stranger wrote begins no field of its own. */
function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ');
}
