/** Codes that change every half a minute (RFC 6238): what an authenticator app shows beside a password. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** What every app can: SHA-1, six digits, thirty seconds. An HMAC does not suffer from what SHA-1 does (RFC 6238 section 1.2, NIST SP 800-131A). */
const STEP_SECONDS = 30;
const DIGITS = 6;
/** RFC 4226 section 4, R6: 128 bits at least, 160 better. Bytes. */
const SECRET_BYTES = 20;
const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';

/** A secret by chance, in base32 (RFC 4648), as apps take it. */
export function newTotpSecret(): string {
  let [bits, value, text] = [0, 0, ''];
  for (const byte of randomBytes(SECRET_BYTES)) {
    value = (value << 8) | byte;
    for (bits += 8; bits >= 5; bits -= 5) text += LETTERS[(value >>> (bits - 5)) & 31];
    value &= 0xff;
  }
  return text;
}

function bytesOf(secret: string): Buffer {
  const bytes: number[] = [];
  let [bits, value] = [0, 0];
  for (const letter of secret) {
    value = ((value << 5) | LETTERS.indexOf(letter)) & 0xffff;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes.push((value >>> bits) & 0xff);
    }
  }
  return Buffer.from(bytes);
}

export function stepAt(milliseconds: number): number {
  return Math.floor(milliseconds / 1000 / STEP_SECONDS);
}

/** RFC 4226 section 5.3. */
export function codeAt(secret: string, step: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(step));
  const mac = createHmac('sha1', bytesOf(secret)).update(counter).digest();
  const number = mac.readUInt32BE(mac.at(-1)! & 0xf) & 0x7fffffff;
  return String(number % 10 ** DIGITS).padStart(DIGITS, '0');
}

/** The step whose code it is: that of now, or of one before or behind, for clocks that are not quite right. The same work is done whatever was sent. */
export function stepOf(secret: string, code: string | undefined, now = Date.now()): number | undefined {
  const given = Buffer.from(
    (code ?? '')
      .replaceAll(' ', '')
      .padEnd(DIGITS)
      .slice(0, DIGITS + 1)
      .padEnd(DIGITS + 1),
  );
  const fitting = [-1, 0, 1].map((off) => stepAt(now) + off).filter((step) => timingSafeEqual(Buffer.from(`${codeAt(secret, step)} `), given));
  return fitting.at(-1);
}

/** What was typed, of somebody whose client has no field for a code: it stands behind the password. */
export function apart({ password = '', code }: { readonly password?: string; readonly code?: string }): { readonly password: string; readonly code?: string } {
  if (code !== undefined || !/\d{6}$/.test(password)) return { password, code };
  return { password: password.slice(0, -DIGITS), code: password.slice(-DIGITS) };
}

/** As apps read it, from a QR code or by hand (Key Uri Format of Google Authenticator). */
export function totpUri(secret: string, user: string, host: string): string {
  return `otpauth://totp/${encodeURIComponent(host)}:${encodeURIComponent(user)}?secret=${secret}&issuer=${encodeURIComponent(host)}`;
}
