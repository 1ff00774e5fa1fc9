/** Writes a receipt (MDN): multipart/report (RFC 6522, 8098), as RFC 4130 section 7.4 has it. */
import { createHash } from 'node:crypto';
import { dispositionField } from '../failure';
import type { ReceiptOptions } from '../types';

/** A receipt with its headers (those of its content, without AS2's own), small and whole. */
export interface WrittenReceipt {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export async function writeReceipt(options: ReceiptOptions): Promise<WrittenReceipt> {
  const boundary = `report_${createHash('sha256').update(options.messageId).digest('hex').slice(0, 32)}`;
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
    `Original-Recipient: rfc822; ${options.finalRecipient}`,
    `Final-Recipient: rfc822; ${options.finalRecipient}`,
    `Original-Message-ID: ${options.originalMessageId}`,
    `Disposition: ${dispositionField(options.failure, options.warning)}`,
    ...(options.mic ? [`Received-content-MIC: ${options.mic.value}, ${options.mic.name}`] : []),
    '',
    `--${boundary}--`,
    '',
  ];
  if (options.sign) throw new Error('Receipts are not signed yet');
  return {
    headers: { 'Content-Type': `multipart/report; report-type=disposition-notification; boundary="${boundary}"` },
    body: Buffer.from(lines.join('\r\n'), 'utf8'),
  };
}
