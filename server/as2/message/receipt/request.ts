/** What a sender asks of its receipt (RFC 4130 section 7.3). */
import { digestNamed } from '../algorithms';
import { header } from '../mime/header';
import type { Headers, ReceiptRequest } from '../types';

export function receiptRequest(headers: Headers): ReceiptRequest {
  const options = readOptions(header(headers, 'disposition-notification-options') ?? '');
  const protocol = options.get('signed-receipt-protocol');
  const micalg = options.get('signed-receipt-micalg');
  const signed = protocol?.values.some((value) => value === 'pkcs7-signature') ?? false;
  const micAlgorithms = micalg?.values ?? [];
  return {
    wanted: header(headers, 'disposition-notification-to') !== undefined,
    signed,
    impossible: (protocol?.required === true && !signed) || (micalg?.required === true && !micAlgorithms.some((name) => digestNamed(name))),
    micAlgorithms,
    deliverTo: header(headers, 'receipt-delivery-option')?.trim() || undefined,
  };
}

/** The headers with which a message asks. */
export function askReceipt(options: {
  readonly to: string;
  readonly signed: boolean;
  readonly micAlgorithms: readonly string[];
  readonly deliverTo?: string;
}): Record<string, string> {
  return {
    'Disposition-Notification-To': options.to,
    ...(options.signed && {
      'Disposition-Notification-Options': `signed-receipt-protocol=optional, pkcs7-signature; signed-receipt-micalg=optional, ${options.micAlgorithms.join(', ')}`,
    }),
    ...(options.deliverTo !== undefined && { 'Receipt-Delivery-Option': options.deliverTo }),
  };
}

function readOptions(text: string): Map<string, { required: boolean; values: string[] }> {
  const found = new Map<string, { required: boolean; values: string[] }>();
  for (const part of text.split(';')) {
    const equals = part.indexOf('=');
    if (equals < 0) continue;
    const [importance = '', ...values] = part
      .slice(equals + 1)
      .split(',')
      .map((value) => value.trim().replace(/^"|"$/g, ''))
      .filter((value) => value !== '');
    const isImportance = /^(required|optional)$/i.test(importance);
    found.set(part.slice(0, equals).trim().toLowerCase(), {
      required: /^required$/i.test(importance),
      values: isImportance ? values : [importance, ...values],
    });
  }
  return found;
}
