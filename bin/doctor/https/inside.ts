/** What can be seen of HTTPS with an account: signing in, its cookie, a file up and down by the API, the clock, and signing out. */
import { createHash, randomBytes } from 'node:crypto';
import { clockFinding } from '../clock';
import { type Finding, ok, problem, warning } from '../finding';
import type { Credentials } from '../inside';
import { type Answer, type HttpsClient, wordsOf } from './client';
import { API } from './outside';

const ROUND_TRIP_BYTES = 65_536;

export async function insideFindings(client: HttpsClient, { user, password }: Credentials): Promise<Finding[]> {
  const began = Date.now();
  const signedIn = await client.ask('POST', `${API}/sign-in`, { 'content-type': 'application/json' }, Buffer.from(JSON.stringify({ user, password })));
  const answered = (began + Date.now()) / 2;
  const [cookie] = signedIn.cookies;
  if (signedIn.status !== 201 || cookie === undefined)
    return [
      problem(
        'https-login',
        `no sign-in is possible: ${wordsOf(signedIn)}`,
        'Check --user and --password-file, and whether the account may come from here and by a password alone.',
      ),
    ];
  const session = { cookie: cookie.split(';', 1)[0]! };
  const findings = [
    ok('https-login', `${user} is signed in`),
    cookieFinding(cookie),
    clockFinding('https-clock', Date.parse(signedIn.headers['date'] ?? ''), answered, 'Keep the clock by NTP.'),
    ...(await roundTrip(client, session)),
  ];
  const out = await client.ask('DELETE', `${API}/sign-in`, session);
  const after = await client.ask('GET', `${API}/sign-in`, session);
  findings.push(
    after.status === 401
      ? ok('https-sign-out', 'after signing out the cookie is worth nothing')
      : problem(
          'https-sign-out',
          `signing out was answered ${wordsOf(out)}, and the cookie is still taken`,
          'End the session on the server, not only in the browser.',
        ),
  );
  return findings;
}

/** RFC 6265bis, sections 4.1.2 and 5.6. */
export function cookieFinding(cookie: string): Finding {
  const attributes = cookie.split(';').map((one) => one.trim().toLowerCase());
  const missing = [
    attributes.includes('secure') ? '' : 'Secure',
    attributes.includes('httponly') ? '' : 'HttpOnly',
    attributes.some((one) => /^samesite=(strict|lax)$/.test(one)) ? '' : 'SameSite',
  ].filter(Boolean);
  return missing.length === 0
    ? ok('https-cookie', 'the cookie stays with this host: Secure, HttpOnly, SameSite')
    : problem('https-cookie', `the cookie of a sign-in lacks ${missing.join(', ')}`, 'Set them: without, the cookie can be read or sent by other pages.');
}

/** Upload, download, compare, delete. */
async function roundTrip(client: HttpsClient, session: Readonly<Record<string, string>>): Promise<Finding[]> {
  const check = 'https-round-trip';
  const advice = 'Use an account that may write, read and delete in its home.';
  const path = `${API}/files/ftps-doctor-${randomBytes(6).toString('hex')}.bin`;
  const sent = randomBytes(ROUND_TRIP_BYTES);
  const stored = await client.ask('PUT', path, { ...session, 'if-none-match': '*' }, sent);
  // A scanner that works on its own lets it appear later.
  if (stored.status === 202) return [ok(check, 'a file was taken, and appears when it has been scanned; it stays until it is deleted by hand')];
  if (stored.status !== 201) return [warning(check, `a file can't be stored: ${wordsOf(stored)}`, advice)];
  const received = await client.ask('GET', path, session);
  const findings = [comparison(check, sent, received, advice)];
  const deleted = await client.ask('DELETE', path, session);
  if (deleted.status >= 300)
    findings.push(
      warning(check, `${path.split('/').at(-1)} can't be deleted, and stays: ${wordsOf(deleted)}`, 'Delete it by hand, and use an account that may delete.'),
    );
  return findings;
}

function comparison(check: string, sent: Buffer, received: Answer, advice: string): Finding {
  if (received.status !== 200) return warning(check, `a file that was stored can't be read: ${wordsOf(received)}`, advice);
  const sha256 = (data: Buffer) => createHash('sha256').update(data).digest('hex');
  return sha256(received.body) === sha256(sent)
    ? ok(check, `${ROUND_TRIP_BYTES} bytes came back unchanged (SHA-256 ${sha256(sent).slice(0, 16)}…)`)
    : problem(check, 'a file came back changed', 'See whether something before the server changes or cuts what passes.');
}
