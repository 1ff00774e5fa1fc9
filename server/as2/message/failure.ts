/** Why a message is not taken, as its receipt says it (RFC 4130 section 7.5, RFC 6017 section 4, RFC 8098 section 3.2.6). */

/**
 * What stands behind `processed/error:` or `failed/failure:`. The words are those of RFC 4130 sections 7.5.3 to 7.5.5, and those that peers write as the RFC's own
 * extensions of its list.
 */
export type Disposition =
  /** Nobody has the key, or what came out is no message. Which of the two it was is told to nobody. */
  | 'decryption-failed'
  /** The signature is not by a certificate that the partner has, or that certificate has run out. */
  | 'authentication-failed'
  /** The signature is by the partner and does not fit the content, or the content was changed in an authenticated cipher. */
  | 'integrity-check-failed'
  /** What was compressed does not inflate, or inflates beyond the bounds (RFC 5402 section 5). */
  | 'decompression-failed'
  /** The partner has to sign or to encrypt and did not, or did so with an algorithm that it may not use. */
  | 'insufficient-message-security'
  /** A digest that is not known or not allowed. Written `failed/failure: unsupported MIC-algorithms` (RFC 4130 section 7.5.3). */
  | 'unsupported MIC-algorithms'
  /** A form of content that is not known: a CMS type, a cipher, a multipart. Written `failed/failure: unsupported format`. */
  | 'unsupported format'
  /** Said by the door: AS2-From and AS2-To are the same name. */
  | 'sender-equals-receiver'
  /** Said by the door: AS2-To is nobody here. */
  | 'unknown-trading-partner'
  /** Said by the door: both are known, and have no agreement. */
  | 'unknown-trading-relationship'
  /** Said by the door. */
  | 'duplicate-document'
  /** Everything else: the message is malformed or beyond a bound, or it could not be stored. */
  | 'unexpected-processing-error';

/** The two that RFC 4130 section 7.5.3 has as failures of the type `failed`; all others are errors of the type `processed`. */
const FAILURES: ReadonlySet<Disposition> = new Set(['unsupported MIC-algorithms', 'unsupported format']);

export class MessageFailure extends Error {
  /** @param disposition what the receipt says @param message what our own audit says; may name certificates and algorithms, never content */
  constructor(
    readonly disposition: Disposition,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = 'MessageFailure';
  }
}

/** The value of the field Disposition of a receipt: `automatic-action/MDN-sent-automatically; processed/error: decryption-failed`. */
export function dispositionField(failure?: Disposition, warning?: string): string {
  const mode = 'automatic-action/MDN-sent-automatically';
  if (!failure) return warning ? `${mode}; processed/warning: ${warning}` : `${mode}; processed`;
  return FAILURES.has(failure) ? `${mode}; failed/failure: ${failure}` : `${mode}; processed/error: ${failure}`;
}
