/** How who uses a link shows that he knows its password: by the cookie that he got for it, or by the password itself. */
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { LinkRecord } from './record';

/** Its prefix makes browsers keep it for HTTPS alone (RFC 6265bis section 4.1.3.1). */
const COOKIE = '__Secure-ftps-link';
/** The password is asked for again after that long. */
const SECONDS = 43_200;

export interface LinkProof {
  readonly password?: string;
  /** Value of the cookie. */
  readonly cookie?: string;
}

/** A password comes from programs as that of Basic (RFC 7617), whatever the name beside it. */
export function proofIn(headers: ReadonlyMap<string, string>): LinkProof {
  const [, basic] = /^basic +(\S+)$/i.exec(headers.get('authorization') ?? '') ?? [];
  const password = basic === undefined ? undefined : /:([\s\S]*)$/.exec(Buffer.from(basic, 'base64').toString())?.[1];
  const cookies = (headers.get('cookie') ?? '').split(';').flatMap((pair) => {
    const [name, value = ''] = pair.trim().split('=', 2);
    return name === COOKIE ? [value] : [];
  });
  return { ...(password === undefined ? {} : { password }), ...(cookies.length === 1 ? { cookie: cookies[0]! } : {}) };
}

/** For the requests of one link alone. Made of what is kept of the password, so that every instance knows it and another password ends it. */
export function passwordCookie(record: LinkRecord, path: string, now = Date.now()): string {
  const until = Math.floor(now / 1000) + SECONDS;
  return `${COOKIE}=${until}.${seal(record, until)}; Path=${path}; Max-Age=${SECONDS}; Secure; HttpOnly; SameSite=Strict`;
}

export function isGoodCookie(record: LinkRecord, cookie: string | undefined, now = Date.now()): boolean {
  const [, until = '', sealed = ''] = /^(\d{1,12})\.([A-Za-z0-9_-]{43})$/.exec(cookie ?? '') ?? [];
  if (until === '' || Number(until) * 1000 <= now) return false;
  return timingSafeEqual(Buffer.from(sealed), Buffer.from(seal(record, Number(until))));
}

function seal({ id, passwordHash = '' }: LinkRecord, until: number): string {
  return createHmac('sha256', passwordHash).update(`${id} ${until}`).digest('base64url');
}
